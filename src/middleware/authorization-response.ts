import { CallbackError, StateError } from '../errors.ts'

const maxQueryLength = 8_192
const once = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri']
/** RFC 6749 appendix A: printable ASCII. Bytes that are no UTF-8 are read as U+FFFD, which is not. */
const printable = /^[\x20-\x7e]{1,4096}$/

/** The parameters of an authorization response (RFC 6749 section 4.1.2) that anything depends on. */
export interface AuthorizationResponse {
  state: string
  /** `code` or `error`, with `state` and `iss`: nothing else goes further. */
  parameters: URLSearchParams
}

/**
 * Reads the callback's query, strictly: nothing malformed, nothing twice, no tokens (RFC 6749
 * section 3.1, RFC 9700 section 2.1.2). Parameters nobody knows are passed over.
 */
export function authorizationResponse(provider: string, search: string): AuthorizationResponse {
  const refuse = (reason: string) => new CallbackError(provider, reason)
  if (search.length > maxQueryLength) throw refuse('its query is too long')
  const query = new URLSearchParams(search)
  if (['access_token', 'id_token', 'token'].some((name) => query.has(name))) {
    throw refuse('it carries tokens, and only the code flow is used')
  }
  if (query.has('response')) throw refuse('it is a JWT response, which was not asked for')
  if (once.some((name) => query.getAll(name).length > 1)) throw refuse('a parameter stands twice')
  const state = query.get('state')
  if (!state || !printable.test(state)) throw new StateError('state_missing')
  return { state, parameters: parametersOf(query, state, refuse) }
}

function parametersOf(
  query: URLSearchParams,
  state: string,
  refuse: (reason: string) => Error,
): URLSearchParams {
  const [code, error, iss] = [query.get('code'), query.get('error'), query.get('iss')]
  const parameters = new URLSearchParams({ state })
  if (iss !== null) parameters.set('iss', iss)
  // RFC 6749 section 4.1.2.1: an error code outside its characters still is a refusal.
  if (error !== null) parameters.set('error', printable.test(error) ? error : 'invalid')
  else if (code && printable.test(code)) parameters.set('code', code)
  else throw refuse('it has no usable code')
  return parameters
}
