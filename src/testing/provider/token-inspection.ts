import { bearerToken } from '../server/bearer.ts'
import type { ReceivedRequest } from '../server/listen.ts'
import { ProtocolError } from './protocol-error.ts'
import type { ProviderState } from './provider-state.ts'
import { jsonReply } from '../server/raw-reply.ts'
import type { RawReply } from '../server/raw-reply.ts'
import { authenticateClient } from './test-clients.ts'

/** Revokes a token (RFC 7009); one that is unknown is fine too. */
export function answerRevocation(state: ProviderState, request: ReceivedRequest): RawReply {
  const { clients, grants, seen, switches } = state
  seen.revocations++
  if (switches.revocation === 'hangs') return { delivery: 'never' }
  if (switches.revocation === 'unavailable') {
    return jsonReply({ error: 'temporarily_unavailable' }, 503)
  }
  const form = new URLSearchParams(request.body)
  try {
    const { clientId } = authenticateClient(clients, request, form)
    grants.revoke(form.get('token') ?? '', clientId)
    return { status: 200 }
  } catch (error) {
    if (error instanceof ProtocolError) return error.reply()
    throw error
  }
}

/**
 * Says whose access token it is (RFC 7662), with the user's claims. Anybody may ask: the test API,
 * which does, has no client.
 */
export function answerIntrospection(state: ProviderState, { body }: ReceivedRequest): RawReply {
  state.seen.introspections++
  const account = state.grants.account(new URLSearchParams(body).get('token') ?? '')
  if (!account) return jsonReply({ active: false })
  return jsonReply({
    active: true,
    token_type: 'Bearer',
    client_id: account.clientId,
    scope: account.scope.join(' '),
    exp: Math.floor(account.expiresAt / 1000),
    ...(account.userId === undefined ? {} : claimsOf(state, account.userId)),
  })
}

/** The claims of the access token's user (OpenID Connect Core section 5.3). */
export function answerUserInfo(state: ProviderState, { headers }: ReceivedRequest): RawReply {
  const account = state.grants.account(bearerToken(headers.authorization) ?? '')
  if (account?.userId) return jsonReply(claimsOf(state, account.userId))
  const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' }
  return jsonReply({ error: 'invalid_token' }, 401, challenge)
}

function claimsOf({ users }: ProviderState, userId: string): Record<string, unknown> {
  const user = users.get(userId)
  if (!user) return { sub: userId }
  const { id, name, email, country, avatar } = user
  return { sub: id, name, email, email_verified: true, picture: avatar, address: { country } }
}
