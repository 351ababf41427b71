import * as oauth from 'openid-client'
import { UnexpectedResponseError } from '../errors.ts'
import type { AuthorizationServer, TokenReply } from './authorization-server.ts'
import { type DpopKey, DpopProofs } from './dpop.ts'
import type { IdTokenClaims } from './id-token.ts'
import type { Profile, Provider } from './provider.ts'
import { providerFetch } from './provider-fetch.ts'
import { sendWithToken } from './token-scheme.ts'
import type { TokenResponse } from './token-set.ts'

type UserInfo = Readonly<Record<string, unknown>>

/**
 * Who has logged in: by the ID token and by what the provider tells of its user, both of the same
 * subject; `undefined` when nothing identifies them.
 */
export async function whoIs(
  server: AuthorizationServer,
  reply: TokenReply,
  dpopKey: DpopKey | undefined,
): Promise<Profile | undefined> {
  const { provider } = server
  const claims = reply.claims()
  const userInfo = provider.userInfo
    ? await readUserInfo(server, reply.access_token, dpopKey)
    : await openidUserInfo(server, reply.access_token, claims?.sub, dpopKey)
  checkSameSubject(provider, claims, userInfo)
  return profileFrom(provider, { ...userInfo, ...claims }, reply)
}

/** The user info that the app or the preset names: a path of the API. */
async function readUserInfo(
  { provider, timeout }: AuthorizationServer,
  accessToken: string,
  dpopKey: DpopKey | undefined,
): Promise<Record<string, unknown>> {
  const init = { headers: { accept: 'application/json' } }
  const response = await sendWithToken(
    { accessToken, dpopKey },
    new DpopProofs(),
    [provider.userInfo!.href, init],
    (to, how) => providerFetch(provider, timeout, to, how),
  )
  const body: unknown = response.ok ? await response.json().catch(() => undefined) : undefined
  if (typeof body === 'object' && body !== null) return { ...body }
  throw new UnexpectedResponseError(provider.name, `its user info came with ${response.status}`)
}

/** The endpoint of the metadata; OpenID Connect Core section 5.3.2: the subject must be the ID token's. */
async function openidUserInfo(
  server: AuthorizationServer,
  accessToken: string,
  subject: string | undefined,
  dpopKey: DpopKey | undefined,
): Promise<UserInfo> {
  const configuration = await server.configured()
  const { definition, resources } = server.provider
  // A token for another resource is none for this endpoint (RFC 8707 section 2).
  const isOff = definition.userInfo === false || resources.length > 0
  if (isOff || subject === undefined || !configuration.serverMetadata().userinfo_endpoint) return {}
  const bound = dpopKey ? { DPoP: await server.dpopHandle(dpopKey) } : {}
  return { ...(await oauth.fetchUserInfo(configuration, accessToken, subject, bound)) }
}

/** OpenID Connect Core section 5.3.2: who the ID token speaks of, and no other, wherever user info is read. */
function checkSameSubject(
  { name }: Provider,
  claims: IdTokenClaims | undefined,
  userInfo: UserInfo,
): void {
  if (!claims || (userInfo['sub'] ?? claims.sub) === claims.sub) return
  throw new UnexpectedResponseError(name, 'its user info is about somebody else')
}

/** The profile by the provider's own `profile` function, else from the claims of OpenID Connect. */
function profileFrom(
  { definition, name }: Provider,
  userInfo: UserInfo,
  reply: TokenResponse,
): Profile | undefined {
  if (definition.profile) {
    const profile = definition.profile(userInfo, reply)
    if (profile.subject) return profile
    throw new UnexpectedResponseError(name, 'its user info does not tell who the user is')
  }
  const subject = userInfo['sub'] ?? userInfo['id']
  if (typeof subject !== 'string' && typeof subject !== 'number') return undefined
  return {
    subject: String(subject),
    name: textOf(userInfo['name']),
    email: textOf(userInfo['email']),
    picture: textOf(userInfo['picture']),
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
