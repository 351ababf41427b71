import type { TestProvider } from './test-provider.ts'
import type { CompleteTestUser } from './test-users.ts'

/** Who calls the test API. */
export interface ApiAccount {
  readonly user: CompleteTestUser
  readonly scope: readonly string[]
}

/** Finds the account of an access token; `undefined` when the token is not good. */
export type FindAccount = (accessToken: string) => Promise<ApiAccount | undefined>

/** Asks the provider: directly, or by introspection (RFC 7662) when all there is is its issuer. */
export function accountsAt(provider: TestProvider | string): FindAccount {
  if (typeof provider === 'string') return (token) => introspect(provider, token)
  return async (token) => {
    const account = provider.accountOf(token)
    const user = provider.users.find(({ id }) => id === account?.userId)
    return account && user && { user, scope: account.scope }
  }
}

async function introspect(issuer: string, token: string): Promise<ApiAccount | undefined> {
  const body = new URLSearchParams({ token })
  const response = await fetch(`${issuer}/introspect`, { method: 'POST', body })
  if (!response.ok) throw new Error(`The introspection endpoint answered ${response.status}.`)
  const reply = (await response.json()) as Introspection
  if (!reply.active) return undefined
  const { sub: id, name, email, picture: avatar, address, scope } = reply
  const user = { id, name, email, country: address.country, avatar }
  return { user, scope: scope.split(' ').filter(Boolean) }
}

type Introspection =
  | { active: false }
  | {
      active: true
      sub: string
      name: string
      email: string
      picture: string
      address: { country: string }
      scope: string
    }
