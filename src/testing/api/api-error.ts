import { spotifyReply } from './api-reply.ts'
import type { RawReply } from '../server/raw-reply.ts'

/** What the Web API says with 429. */
export const rateLimitMessage = 'API rate limit exceeded'

/** An error as the Web API answers with it: `{ error: { status, message } }`. */
export class ApiError extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }

  reply(): RawReply {
    const { status, message, headers } = this
    return spotifyReply({ error: { status, message } }, status, headers)
  }
}
