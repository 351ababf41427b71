import { jsonReply } from '../server/raw-reply.ts'
import type { RawReply } from '../server/raw-reply.ts'

/** An error of RFC 6749 (sections 4.1.2.1 and 5.2) that the test provider answers with. */
export class ProtocolError extends Error {
  /** The code on the wire, such as `invalid_grant`. */
  readonly error: string
  readonly status: number

  constructor(error: string, description: string, status = 400) {
    super(description)
    this.error = error
    this.status = status
  }

  /** As a token error response (RFC 6749 section 5.2). */
  reply(): RawReply {
    const headers: Record<string, string> =
      this.status === 401 ? { 'www-authenticate': 'Basic realm="test provider"' } : {}
    const body = { error: this.error, error_description: this.message }
    return jsonReply(body, this.status, headers)
  }
}
