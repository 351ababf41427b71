import { ProtocolError } from './protocol-error.ts'
import type { ProviderState } from './provider-state.ts'
import { isRedirectUriAllowed } from './test-clients.ts'
import type { TestClient } from './test-clients.ts'

/** An authorization request (RFC 6749 section 4.1.1) whose client may be answered. */
export interface AuthorizationRequest {
  readonly client: TestClient
  readonly redirectUri: string
  readonly state: string | undefined
  readonly scope: readonly string[]
  readonly prompt: readonly string[]
  readonly loginHint: string | undefined
  readonly accessType: string | undefined
  readonly nonce: string | undefined
  readonly codeChallenge: string | undefined
  /** What is wrong with it, to be told to the client. */
  readonly problem: ProtocolError | undefined
}

/**
 * Reads an authorization request. Throws when the client or its redirect URI cannot be trusted, in
 * which case nobody is redirected anywhere (RFC 6749 section 4.1.2.1).
 */
export function readAuthorizationRequest(
  { clients, requirePkce }: ProviderState,
  query: URLSearchParams,
): AuthorizationRequest {
  const clientId = query.get('client_id') ?? ''
  const client = clients.get(clientId)
  if (!client) {
    throw new ProtocolError('unauthorized_client', `No client with the id "${clientId}" exists`)
  }
  const redirectUri = query.get('redirect_uri') ?? ''
  if (!isRedirectUriAllowed(client, redirectUri)) {
    throw new ProtocolError('invalid_request', `The redirect_uri "${redirectUri}" is not allowed`)
  }
  return {
    client,
    redirectUri,
    state: query.get('state') ?? undefined,
    scope: words(query.get('scope')?.replaceAll(',', ' ') ?? null),
    prompt: words(query.get('prompt')),
    loginHint: query.get('login_hint') ?? undefined,
    accessType: query.get('access_type') ?? undefined,
    nonce: query.get('nonce') ?? undefined,
    codeChallenge: query.get('code_challenge') ?? undefined,
    problem: problemOf(query, requirePkce),
  }
}

/** Where the browser goes with the authorization response; `iss` as RFC 9207 wants it, or not. */
export function authorizationResponse(
  { issuer, switches }: ProviderState,
  { redirectUri, state }: AuthorizationRequest,
  result: { code: string } | ProtocolError,
): string {
  const location = new URL(redirectUri)
  const parameters =
    result instanceof ProtocolError
      ? { error: result.error, error_description: result.message }
      : result
  for (const [name, value] of Object.entries(parameters)) location.searchParams.set(name, value)
  if (state !== undefined) location.searchParams.set('state', state)
  if (switches.iss === 'right') location.searchParams.set('iss', issuer)
  if (switches.iss === 'wrong') location.searchParams.set('iss', 'https://another-issuer.example')
  return location.href
}

function problemOf(query: URLSearchParams, requirePkce: boolean): ProtocolError | undefined {
  const twice = [...query.keys()].find((name) => query.getAll(name).length > 1)
  if (twice !== undefined) return invalid(`${twice} is there more than once`)
  if (query.has('request') || query.has('request_uri')) {
    return new ProtocolError('request_not_supported', 'Request objects are not supported')
  }
  if (query.get('response_type') !== 'code') {
    return new ProtocolError('unsupported_response_type', 'response_type must be code')
  }
  if ((query.get('response_mode') ?? 'query') !== 'query') {
    return invalid('response_mode must be query')
  }
  return pkceProblem(query, requirePkce)
}

function pkceProblem(query: URLSearchParams, requirePkce: boolean): ProtocolError | undefined {
  const challenge = query.get('code_challenge')
  if (challenge === null) return requirePkce ? invalid('code_challenge is missing') : undefined
  if (query.get('code_challenge_method') !== 'S256') {
    return invalid('code_challenge_method must be S256')
  }
  return /^[\w-]{43}$/.test(challenge) ? undefined : invalid('code_challenge is no SHA-256')
}

function invalid(description: string): ProtocolError {
  return new ProtocolError('invalid_request', description)
}

function words(text: string | null): string[] {
  return [...new Set(text?.split(' ').filter(Boolean))]
}
