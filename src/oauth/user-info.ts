import { UnexpectedResponseError } from '../errors.ts'
import type { Profile, Provider } from './provider.ts'
import { providerFetch } from './provider-fetch.ts'
import type { TokenResponse } from './token-set.ts'

/** Reads who the user is from the provider's `userInfo` address. `timeout` in seconds. */
export async function readUserInfo(
  provider: Provider,
  accessToken: string,
  timeout: number,
): Promise<Record<string, unknown>> {
  const response = await providerFetch(provider, timeout, provider.userInfo!.href, {
    headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
  })
  const body: unknown = response.ok ? await response.json().catch(() => undefined) : undefined
  if (typeof body === 'object' && body !== null) return { ...body }
  throw new UnexpectedResponseError(provider.name, `its user info came with ${response.status}`)
}

/** OpenID Connect Core section 5.3.2: who the ID token speaks of, and no other, wherever user info is read. */
export function sameSubject<Claims extends { sub: string }>(
  { name }: Provider,
  claims: Claims | undefined,
  userInfo: Readonly<Record<string, unknown>>,
): Claims | undefined {
  if (!claims || (userInfo['sub'] ?? claims.sub) === claims.sub) return claims
  throw new UnexpectedResponseError(name, 'its user info is about somebody else')
}

/** The profile by the provider's own `profile` function, else from the claims of OpenID Connect. */
export function profileFrom(
  { definition, name }: Provider,
  userInfo: Readonly<Record<string, unknown>>,
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
