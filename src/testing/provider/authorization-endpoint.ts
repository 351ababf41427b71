import { authorizationPage, refusalPage } from './authorization-page.ts'
import { authorizationResponse, readAuthorizationRequest } from './authorization-requests.ts'
import type { AuthorizationRequest } from './authorization-requests.ts'
import type { Html } from '../server/html.ts'
import type { ReceivedRequest } from '../server/listen.ts'
import { ProtocolError } from './protocol-error.ts'
import type { ProviderState } from './provider-state.ts'
import type { RawReply } from '../server/raw-reply.ts'

/** Shows the login page (GET), or takes what was pressed on it (POST). */
export function answerAuthorizationRequest(
  state: ProviderState,
  { method, url, body }: ReceivedRequest,
): RawReply {
  let request: AuthorizationRequest
  try {
    request = readAuthorizationRequest(state, url.searchParams)
  } catch (error) {
    if (error instanceof ProtocolError) return page(refusalPage(error), 400)
    throw error
  }
  if (request.problem) return redirect(state, request, request.problem)
  if (method === 'POST') return decide(state, request, new URLSearchParams(body))

  state.seen.authorizations++
  if (request.prompt.includes('none')) {
    return redirect(state, request, new ProtocolError('login_required', 'Nobody is logged in'))
  }
  const users = [...state.users.values()]
  return page(authorizationPage(request, users, `${url.pathname}${url.search}`))
}

function decide(
  state: ProviderState,
  request: AuthorizationRequest,
  form: URLSearchParams,
): RawReply {
  const user = state.users.get(form.get('user') ?? '')
  if (user) {
    const { client, redirectUri, scope, codeChallenge, nonce, accessType, prompt } = request
    const { clientId } = client
    const asked = { scope, codeChallenge, nonce, accessType, prompt }
    const contents = { userId: user.id, clientId, redirectUri, ...asked }
    return redirect(state, request, { code: state.codes.issue(contents) })
  }
  if (form.has('cancel')) {
    return redirect(state, request, new ProtocolError('access_denied', 'The user said no'))
  }
  return page(refusalPage(new ProtocolError('invalid_request', 'No such user')), 400)
}

function redirect(
  state: ProviderState,
  request: AuthorizationRequest,
  result: { code: string } | ProtocolError,
): RawReply {
  const location = authorizationResponse(state, request, result)
  return { status: 303, headers: { location, 'cache-control': 'no-store' } }
}

function page(content: Html, status = 200): RawReply {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; base-uri 'none'; frame-ancestors 'none'",
  }
  return { status, headers, body: content.text }
}
