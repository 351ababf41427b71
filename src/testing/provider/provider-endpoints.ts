import { answerAuthorizationRequest } from './authorization-endpoint.ts'
import { answerGitHubUser, answerTokenDeletion } from './github-endpoints.ts'
import type { Answer, NotedReply, ReceivedRequest } from '../server/listen.ts'
import { answerDiscovery } from './provider-metadata.ts'
import { workingProvider } from './provider-switches.ts'
import type { ProviderState } from './provider-state.ts'
import { jsonReply } from '../server/raw-reply.ts'
import type { RawReply } from '../server/raw-reply.ts'
import { avatarOf } from './test-users.ts'
import { answerTokenRequest } from './token-endpoint.ts'
import { answerIntrospection, answerRevocation, answerUserInfo } from './token-inspection.ts'

type Endpoint = (state: ProviderState, request: ReceivedRequest) => NotedReply | Promise<NotedReply>

const endpoints: Readonly<Record<string, Endpoint>> = {
  'GET /.well-known/oauth-authorization-server': discovery,
  'GET /.well-known/openid-configuration': discovery,
  'GET /authorize': answerAuthorizationRequest,
  'POST /authorize': answerAuthorizationRequest,
  'POST /token': answerTokenRequest,
  'POST /revoke': answerRevocation,
  'POST /introspect': answerIntrospection,
  'GET /userinfo': answerUserInfo,
  'POST /userinfo': answerUserInfo,
  'GET /jwks': ({ signer }) => jsonReply(signer.jwks()),
}

const githubEndpoints: Readonly<Record<string, Endpoint>> = {
  'GET /user': answerGitHubUser,
  'DELETE /applications': answerTokenDeletion,
}

/** Finds the endpoint of each request. */
export function providerEndpoints(state: ProviderState): Answer {
  return (request) => {
    const { method, url } = request
    const path = url.pathname
    if (path.startsWith('/redirected/')) return answerRedirected(state, request)
    if (method === 'GET' && path.startsWith('/avatars/')) return avatar(state, path)
    const isLikeGitHub = state.switches.like === 'github'
    const endpoint = isLikeGitHub
      ? (githubEndpoints[`${method} /${path.split('/')[1]}`] ?? endpoints[`${method} ${path}`])
      : endpoints[`${method} ${path}`]
    return endpoint ? endpoint(state, request) : { status: 404, body: 'Not found' }
  }
}

/** A client that follows a redirect it should not follow gets what it wants, and is counted. */
function answerRedirected(
  state: ProviderState,
  request: ReceivedRequest,
): NotedReply | Promise<NotedReply> {
  state.seen.redirectsFollowed++
  const url = new URL(request.url)
  url.pathname = url.pathname.slice('/redirected'.length)
  const { tokenEndpoint, discovery: discoverySwitch } = workingProvider()
  const switches = { ...state.switches, tokenEndpoint, discovery: discoverySwitch }
  return providerEndpoints({ ...state, switches })({ ...request, url })
}

function discovery(state: ProviderState, { url }: ReceivedRequest): RawReply {
  return answerDiscovery(state, url.pathname)
}

function avatar({ users }: ProviderState, path: string): RawReply {
  const user = [...users.values()].find(
    ({ id }) => path === `/avatars/${encodeURIComponent(id)}.svg`,
  )
  if (!user) return { status: 404, body: 'Not found' }
  const headers = { 'content-type': 'image/svg+xml', 'cache-control': 'public, max-age=3600' }
  return { headers, body: avatarOf(user).text }
}
