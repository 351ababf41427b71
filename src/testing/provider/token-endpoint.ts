import { setTimeout as wait } from 'node:timers/promises'
import { accessTokenHash } from './id-token.ts'
import type { NotedReply, ReceivedRequest } from '../server/listen.ts'
import { ProtocolError } from './protocol-error.ts'
import { mannersOf, testTenant } from './provider-manners.ts'
import type { ProviderState } from './provider-state.ts'
import { jsonReply } from '../server/raw-reply.ts'
import type { RawReply } from '../server/raw-reply.ts'
import { authenticateClient } from './test-clients.ts'
import { tokenEndpointFault } from './token-endpoint-faults.ts'
import type { GrantTokens, Requested } from './token-grants.ts'

/** Answers a token request (RFC 6749 sections 4.1.3 and 6), or does what the switches say. */
export async function answerTokenRequest(
  state: ProviderState,
  request: ReceivedRequest,
): Promise<NotedReply> {
  const { switches } = state
  const form = new URLSearchParams(request.body)
  count(state, form)
  const fault = await tokenEndpointFault(switches, request, form)
  const reply = { ...(fault ?? grantReply(state, request, form)), note: noteOf(form) }
  if (switches.delay > 0) await wait(switches.delay * 1000, undefined, { ref: false })
  if (switches.tokenEndpoint === 'slow') return { ...reply, delivery: 'byte-per-second' }
  if (switches.tokenEndpoint === 'resets-after') return { ...reply, delivery: 'reset' }
  return reply
}

/** The parameters of a token reply (RFC 6749 section 5.1). */
export function tokenResponse(state: ProviderState, tokens: GrantTokens): Record<string, unknown> {
  const { accessToken, refreshToken, expiresAt, scope } = tokens
  const response: Record<string, unknown> = { access_token: accessToken, token_type: 'Bearer' }
  if (state.switches.expiresIn !== 'missing') {
    response['expires_in'] = Math.max(0, Math.round((expiresAt - Date.now()) / 1000))
  }
  if (refreshToken !== undefined) response['refresh_token'] = refreshToken
  response['scope'] = scope.join(' ')
  if (scope.includes('openid') && tokens.grant.userId) response['id_token'] = idToken(state, tokens)
  return mannersOf(state.switches.like).reply(response)
}

function grantReply(
  state: ProviderState,
  request: ReceivedRequest,
  form: URLSearchParams,
): RawReply {
  try {
    const { clientId } = authenticateClient(state.clients, request, form)
    const reply = tokenResponse(state, tokensFor(state, clientId, form))
    return jsonReply(reply, 200, { pragma: 'no-cache' })
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return mannersOf(state.switches.like).refusal(error, form.get('grant_type'))
  }
}

function tokensFor(state: ProviderState, clientId: string, form: URLSearchParams): GrantTokens {
  switch (form.get('grant_type')) {
    case 'authorization_code':
      return codeTokens(state, clientId, form)
    case 'refresh_token':
      return refreshedTokens(state, clientId, form)
    case 'client_credentials':
      return clientTokens(state, clientId, form)
    case null:
      throw new ProtocolError('invalid_request', 'grant_type is missing')
    default:
      throw new ProtocolError('unsupported_grant_type', 'This grant type is not supported')
  }
}

function codeTokens(state: ProviderState, clientId: string, form: URLSearchParams): GrantTokens {
  const { codes, grants, switches } = state
  const proof = {
    clientId,
    redirectUri: form.get('redirect_uri') ?? undefined,
    codeVerifier: form.get('code_verifier') ?? undefined,
  }
  let refreshable = switches.refreshTokenInReply
  const grant = codes.redeem(form.get('code') ?? '', proof, (contents) => {
    const { userId, scope, nonce } = contents
    const isFirst = !grants.has(userId, clientId)
    refreshable &&= mannersOf(switches.like).givesRefreshToken(contents, isFirst)
    return grants.authorize(userId, clientId, scope, nonce)
  })
  return grants.issue(grant, refreshable)
}

function refreshedTokens(
  { grants, seen }: ProviderState,
  clientId: string,
  form: URLSearchParams,
): GrantTokens {
  return grants.refresh(form.get('refresh_token') ?? '', clientId, requested(form), () => {
    seen.familiesRevoked++
  })
}

/** RFC 6749 section 4.4: only for a client that can keep a secret, and without a refresh token. */
function clientTokens(
  { clients, grants }: ProviderState,
  clientId: string,
  form: URLSearchParams,
): GrantTokens {
  if (clients.get(clientId)?.clientSecret === undefined) {
    throw new ProtocolError('unauthorized_client', 'A public client has no credentials')
  }
  const { scope = [], resource } = requested(form)
  return grants.issue(grants.authorize(undefined, clientId, scope), false, resource)
}

function requested(form: URLSearchParams): Requested {
  const scope = form.get('scope')?.split(' ').filter(Boolean)
  return { scope, resource: form.get('resource') ?? undefined }
}

const microsoftIssuer = `https://login.microsoftonline.com/${testTenant}/v2.0`

function idToken({ issuer, signer, switches }: ProviderState, tokens: GrantTokens): string {
  const { userId, clientId, authorizedAt, nonce } = tokens.grant
  const issuedAt = Math.floor(Date.now() / 1000)
  const claims = {
    iss: switches.like === 'microsoft' ? microsoftIssuer : issuer,
    ...(switches.like === 'microsoft' ? { tid: testTenant } : {}),
    sub: userId,
    aud: clientId,
    iat: issuedAt,
    exp: issuedAt + 3600,
    auth_time: Math.floor(authorizedAt / 1000),
    at_hash: accessTokenHash(tokens.accessToken),
    ...(nonce === undefined ? {} : { nonce }),
  }
  return signer.issue(claims, switches.idToken)
}

/** Only what is known goes into the log. */
function noteOf(form: URLSearchParams): string | undefined {
  return ['authorization_code', 'refresh_token', 'client_credentials'].find(
    (name) => name === form.get('grant_type'),
  )
}

function count(state: ProviderState, form: URLSearchParams): void {
  const grantType = form.get('grant_type')
  if (grantType === 'authorization_code') state.seen.codeRequests++
  if (grantType === 'client_credentials') state.seen.clientRequests++
  if (grantType !== 'refresh_token') return
  state.seen.refreshRequests++
  if (state.grants.isUsed(form.get('refresh_token') ?? '')) state.seen.presentedTwice++
}
