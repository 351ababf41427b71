import type { CompiledRule } from '../cache/rules/rules.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import { TokenHandler } from '../oauth/token-handler.ts'

/** With whose token a call is made, and what is asked for then. */
export interface CallOwner {
  readonly tokens: TokenHandler
  readonly request: Request
}

/** What Spotify's `market` says instead of leaving it away. */
const ofTheToken = 'from_token'

/**
 * The user, or the app itself where the rule says so (`as: 'app'`). What the user's token would have
 * answered for, such as the market, then stands in the query; while that is not known, and for what is
 * no reading, it stays the user.
 */
export async function callOwner(
  access: ProviderAccess,
  user: TokenHandler,
  request: Request,
  rule: CompiledRule | undefined,
): Promise<CallOwner> {
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  if (rule?.as !== 'app' || !isReading || access.provider.clientSecret === undefined) {
    return { tokens: user, request }
  }
  const url = await withProfile(request.url, user, rule.fromProfile ?? {})
  if (url === undefined) return { tokens: user, request }
  const app = new TokenHandler(access, {
    owner: async () => ({ kind: 'app', id: '' }),
    loginUrl: () => undefined,
  })
  const asked = url === request.url ? request : new Request(url, request)
  return { tokens: app.forOneCall(), request: asked }
}

/** The URL with what is taken from the user's profile; `undefined` where that does not tell. */
async function withProfile(
  url: string,
  user: TokenHandler,
  parameters: Readonly<Record<string, 'country'>>,
): Promise<string | undefined> {
  const { searchParams } = new URL(url)
  const missing = Object.entries(parameters).filter(
    ([name]) => (searchParams.get(name) ?? ofTheToken) === ofTheToken,
  )
  if (missing.length === 0) return url
  const profile = (await user.grant())?.profile
  const complete = new URL(url)
  for (const [name, field] of missing) {
    const value: unknown = profile?.[field]
    if (typeof value !== 'string' || value === '') return undefined
    complete.searchParams.set(name, value)
  }
  return complete.href
}
