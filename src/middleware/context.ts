import { type Forwarding, forwardedRequest } from '../cache/forwarding.ts'
import { grantPartition } from '../cache/partition.ts'
import { BehalfError } from '../errors.ts'
import type { EventFields } from '../events.ts'
import { ApiClient, type Send } from '../oauth/api-client.ts'
import { authorizedFetch } from '../oauth/authorized-fetch.ts'
import { withinTotal } from '../oauth/deadline.ts'
import { patiently, type Throttling } from '../oauth/patience.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import { TokenHandler, type Visitor } from '../oauth/token-handler.ts'
import type { ResponseCache } from '../cache/index.ts'
import type { App } from './app.ts'
import type { Providers } from './options.ts'

/** What a request carries: for each provider an authenticated client and a token handler. */
export interface Context<P extends Providers = Providers> {
  readonly api: { readonly [Name in keyof P]: ApiClient }
  readonly tokens: { readonly [Name in keyof P]: TokenHandler }
}

/** Seconds that a visitor is let wait. */
const usualWait = 2

/** What the calls of a context have to themselves. */
export interface CallSettings {
  /** The cache to look into, if there is one by then. */
  cache: () => ResponseCache | undefined
  /** Seconds that a call waits at most for an API that asks for patience. Default 2. */
  maxWait?: number | undefined
}

/** Makes the clients and handlers of a visitor, for all providers or one. */
export function contextFor<P extends Providers>(
  app: App,
  visitor: Visitor,
  settings: CallSettings,
  only?: string,
): Context<P> {
  const api: Record<string, ApiClient> = {}
  const tokens: Record<string, TokenHandler> = {}
  for (const [name, access] of app.accesses) {
    if (only !== undefined && name !== only) continue
    const handler = (tokens[name] = new TokenHandler(access, visitor))
    api[name] = new ApiClient(access.provider, sender(app, access, handler, settings))
  }
  return { api, tokens } as unknown as Context<P>
}

/** The way of every call: cache, then token, then upstream. */
function sender(
  app: App,
  access: ProviderAccess,
  tokens: TokenHandler,
  { cache, maxWait = usualWait }: CallSettings,
): Send {
  const { name } = access
  const { total } = app.configuration.timeouts
  const rules = app.configuration.rules.get(name) ?? []
  return async (request, mode) => {
    const startedAt = performance.now()
    const own = tokens.forOneCall()
    const about = () => {
      const { method } = request
      return { provider: name, grant: own.lastGrant, method, url: withoutValues(request) }
    }
    const patience = {
      maxWait,
      onThrottled: (how: Throttling) => app.emit({ type: 'throttled', ...about(), ...how }),
    }
    const forward = (forwarding: Forwarding) => {
      const sent = forwardedRequest(request, forwarding)
      const signal = withinTotal(sent, total + Math.max(0, maxWait - usualWait))
      const send = (isResend: boolean) => authorizedFetch(access, own, sent, { signal, isResend })
      return patiently(sent, signal, send, patience)
    }
    const partition = async () => {
      const { grantId, cacheKey } = (await own.found()).record
      return grantPartition(name, grantId, cacheKey)
    }
    const background = (work: Promise<unknown>) => app.background(work)
    const call = { partition, mode, rules, forward, authorized: true, background }
    const tell = (outcome: Pick<EventFields['upstream'], 'status' | 'code' | 'cacheStatus'>) => {
      const duration = (performance.now() - startedAt) / 1000
      app.emit({ type: 'upstream', ...about(), ...outcome, duration })
    }
    try {
      const response = await (cache()?.fetch(request, call) ?? forward({}))
      const cacheStatus = response.headers.get('cache-status') ?? undefined
      tell({ status: response.status, code: undefined, cacheStatus })
      return response
    } catch (error) {
      const code = error instanceof BehalfError ? error.code : 'network'
      tell({ status: undefined, code, cacheStatus: undefined })
      throw error
    }
  }
}

/** A query's values can be anybody's; its names tell enough. */
function withoutValues({ url }: Request): string {
  const { pathname, searchParams } = new URL(url)
  const names = [...searchParams.keys()].join('&')
  return names ? `${pathname}?${names}` : pathname
}
