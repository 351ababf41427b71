import type { ReceivedRequest } from '../server/listen.ts'
import type { RawReply } from '../server/raw-reply.ts'
import { jsonReply } from '../server/raw-reply.ts'
import { bearerToken } from '../server/bearer.ts'
import type { ProviderState } from './provider-state.ts'
import { authenticateClient } from './test-clients.ts'

/** `GET /user`, as GitHub's API has it: a number, a login name, and an address only where it is public. */
export function answerGitHubUser(state: ProviderState, { headers }: ReceivedRequest): RawReply {
  const account = state.grants.account(bearerToken(headers.authorization) ?? '')
  const ids = [...state.users.keys()]
  const user = account?.userId === undefined ? undefined : state.users.get(account.userId)
  if (!user) return jsonReply({ message: 'Bad credentials' }, 401)
  const { id: login, name, avatar } = user
  return jsonReply({ id: 1001 + ids.indexOf(login), login, name, email: null, avatar_url: avatar })
}

/** `DELETE /applications/CLIENT_ID/token`: GitHub's way to end one token. */
export function answerTokenDeletion(state: ProviderState, request: ReceivedRequest): RawReply {
  state.seen.revocations++
  const { clientId } = authenticateClient(state.clients, request, new URLSearchParams())
  const isOwn = request.url.pathname === `/applications/${encodeURIComponent(clientId)}/token`
  const { access_token: token } = JSON.parse(request.body) as { access_token?: unknown }
  if (!isOwn || typeof token !== 'string') return jsonReply({ message: 'Not Found' }, 404)
  state.grants.revoke(token, clientId)
  return { status: 204 }
}
