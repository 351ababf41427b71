import type { ReceivedRequest } from '../server/listen.ts'
import { ProtocolError } from './protocol-error.ts'

/** An app registered at the test provider. */
export interface TestClient {
  readonly clientId: string
  /** Without one it is a public client. */
  readonly clientSecret?: string | undefined
  /** What the login page calls it. Default the client id. */
  readonly name?: string | undefined
  /** The redirect URIs it may use, compared exactly. Default any on loopback or https. */
  readonly redirectUris?: readonly string[] | undefined
}

/**
 * Finds and authenticates the client of a form request: `client_secret_basic`,
 * `client_secret_post`, or `none` for a public client (RFC 6749 section 2.3).
 */
export function authenticateClient(
  clients: ReadonlyMap<string, TestClient>,
  request: ReceivedRequest,
  form: URLSearchParams,
): TestClient {
  const basic = basicCredentials(request.headers.authorization)
  const postSecret = form.get('client_secret') ?? undefined
  if (basic && postSecret !== undefined) {
    throw new ProtocolError('invalid_request', 'The client authenticated in two ways')
  }
  const client = clients.get(basic?.id ?? form.get('client_id') ?? '')
  const secret = basic ? basic.secret : postSecret
  if (!client || client.clientSecret !== secret) {
    throw new ProtocolError('invalid_client', 'Client authentication failed', 401)
  }
  return client
}

/** Whether the client may be answered there (RFC 6749 section 3.1.2, RFC 8252 section 7.3). */
export function isRedirectUriAllowed(client: TestClient, redirectUri: string): boolean {
  if (client.redirectUris) return client.redirectUris.includes(redirectUri)
  const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined
  if (!url || redirectUri.includes('#')) return false
  const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  return url.protocol === 'https:' || (url.protocol === 'http:' && loopback)
}

function basicCredentials(header = ''): { id: string; secret: string } | undefined {
  const match = /^basic ([\w+/=-]+)$/i.exec(header)
  if (!match) return undefined
  const [id = '', ...rest] = Buffer.from(match[1]!, 'base64').toString().split(':')
  return { id: formDecoded(id), secret: formDecoded(rest.join(':')) }
}

/** Both parts are form-encoded before they are joined (RFC 6749 section 2.3.1). */
function formDecoded(text: string): string {
  return new URLSearchParams(`value=${text.replaceAll('&', '%26')}`).get('value') ?? ''
}
