import * as oauth from 'openid-client'
import {
  AccessDeniedError,
  BehalfError,
  CallbackError,
  ClientMisconfiguredError,
  UnexpectedResponseError,
} from '../errors.ts'

/** The authorization server no longer accepts a code or a refresh token (RFC 6749 section 5.2). */
export class InvalidGrant extends Error {}

const clientErrors = new Set([
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
])

/**
 * Makes an error of ours from whatever openid-client threw. Without `cause`: its errors hold the
 * parameters and the reply, and with them codes and tokens.
 */
export function rebuilt(provider: string, error: unknown): BehalfError | InvalidGrant {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if (inner instanceof BehalfError || inner instanceof InvalidGrant) return inner
  }
  if (error instanceof oauth.ResponseBodyError) {
    if (error.error === 'invalid_grant') return new InvalidGrant()
    if (error.error === 'access_denied') return new AccessDeniedError(provider)
    if (clientErrors.has(error.error)) return new ClientMisconfiguredError(provider, error.error)
    return new UnexpectedResponseError(provider, `${error.status} with an OAuth error`)
  }
  if (error instanceof oauth.AuthorizationResponseError) {
    if (error.error === 'access_denied') return new AccessDeniedError(provider)
    const code = /^[a-z_]{1,40}$/.test(error.error) ? error.error : undefined
    return new CallbackError(provider, 'the provider sent an error instead of a code', code)
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    return new ClientMisconfiguredError(provider, 'invalid_client')
  }
  if (isAboutCallback(error)) {
    return new CallbackError(provider, 'its parameters do not fit the login (state, iss or type)')
  }
  return fromCode(provider, (error as { code?: unknown } | null)?.code)
}

/** What openid-client refuses of a callback comes with its parameters, what it refuses of a reply does not. */
function isAboutCallback(error: unknown): boolean {
  let inner = error
  while (typeof inner === 'object' && inner !== null) {
    if ('parameters' in inner) return true
    inner = (inner as { cause?: unknown }).cause
  }
  return false
}

function fromCode(provider: string, code: unknown): BehalfError {
  switch (code) {
    case 'OAUTH_INVALID_RESPONSE':
      return new UnexpectedResponseError(provider, 'its token reply or its ID token is not valid')
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return new UnexpectedResponseError(provider, 'its ID token is not for this login')
    case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
      return new UnexpectedResponseError(provider, 'its issuer or subject is another one')
    default:
      return new UnexpectedResponseError(provider, 'it does not follow the specification')
  }
}
