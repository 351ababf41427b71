import type { TestProvider } from '../provider/test-provider.ts'
import type { CompleteTestUser } from '../provider/test-users.ts'

/** Who calls the test API. */
export interface ApiAccount {
  /** Nobody, with no country, for the app itself. */
  readonly user: CompleteTestUser
  readonly scope: readonly string[]
  /** The app that the access token was given to. */
  readonly clientId: () => Promise<string>
}

/** Whose an access token by client credentials is. */
export const nobody: CompleteTestUser = { id: '', name: '', email: '', country: '', avatar: '' }

/** Finds the account of an access token; `undefined` when the token is not good. */
export type FindAccount = (accessToken: string) => Promise<ApiAccount | undefined>

/** Asks the provider: directly, or by introspection (RFC 7662) when all there is is its issuer. */
export function accountsAt(provider: TestProvider | string): FindAccount {
  if (typeof provider === 'string') return (token) => introspectedAccount(provider, token)
  return async (token) => {
    const account = provider.accountOf(token)
    if (!account) return undefined
    const { userId, scope } = account
    const user = userId === undefined ? nobody : provider.users.find(({ id }) => id === userId)
    // Asked directly, the provider does not tell the app; introspection does.
    const clientId = async () => text((await introspect(provider.issuer, token))['client_id'])
    return user && { user, scope, clientId }
  }
}

async function introspectedAccount(issuer: string, token: string): Promise<ApiAccount | undefined> {
  const reply = await introspect(issuer, token)
  if (reply['active'] !== true) return undefined
  const user = {
    id: text(reply['sub']),
    name: text(reply['name']),
    email: text(reply['email']),
    country: text(record(reply['address'])['country']),
    avatar: text(reply['picture']),
  }
  const scope = text(reply['scope']).split(' ').filter(Boolean)
  return { user, scope, clientId: async () => text(reply['client_id']) }
}

async function introspect(
  issuer: string,
  token: string,
): Promise<Readonly<Record<string, unknown>>> {
  const body = new URLSearchParams({ token })
  const response = await fetch(`${issuer}/introspect`, { method: 'POST', body })
  if (!response.ok) throw new Error(`The introspection endpoint answered ${response.status}.`)
  return record(await response.json())
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
