import { withoutValues } from '../cache/cache-events.ts'
import type { CachedCall } from '../cache/cached-call.ts'
import { type Forwarding, forwardedRequest } from '../cache/upstream/forwarding.ts'
import type { ResponseCache } from '../cache/index.ts'
import { sharedPartition } from '../cache/stored/partition.ts'
import { BehalfError } from '../errors.ts'
import type { EventFields } from '../events.ts'
import type { Send } from '../oauth/api-client.ts'
import { authorizedFetch } from '../oauth/authorized-fetch.ts'
import { withinTotal } from '../oauth/deadline.ts'
import { patiently, type Throttling } from '../oauth/patience.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import type { TokenHandler } from '../oauth/token-handler.ts'
import type { App } from './app.ts'
import { type CallOwner, callOwner } from './call-owner.ts'
import { cacheKeyOf, callPartition } from './call-partition.ts'

/** Seconds that a visitor is let wait. */
const usualWait = 2

/** What the calls of a context have to themselves. */
export interface CallSettings {
  /** The cache to look into, if there is one by then. */
  cache: () => ResponseCache | undefined
  /** Seconds that a call waits at most for an API that asks for patience. Default 2. */
  maxWait?: number | undefined
}

/** The way of every call: cache, then token, then upstream. */
export function apiCall(
  app: App,
  access: ProviderAccess,
  tokens: TokenHandler,
  { cache, maxWait = usualWait }: CallSettings,
): Send {
  const { name } = access
  const { total } = app.configuration.timeouts
  const rules = app.configuration.rules.get(name) ?? none

  const forwarding = ({ tokens: own, request }: CallOwner, about: () => About) => {
    const patience = {
      maxWait,
      retry: access.provider.retry,
      onThrottled: (how: Throttling) => app.emit({ type: 'throttled', ...about(), ...how }),
    }
    return (how: Forwarding) => {
      const sent = forwardedRequest(request, how)
      const signal = withinTotal(sent, total + Math.max(0, maxWait - usualWait))
      // On Node 20 a Request's signal follows the caller's only as long as the Request lives.
      signal.addEventListener('abort', () => void request, { once: true })
      const send = (isResend: boolean) => authorizedFetch(access, own, sent, { signal, isResend })
      return patiently(sent, signal, send, patience)
    }
  }

  return async (request, wish) => {
    const startedAt = performance.now()
    const user = tokens.forOneCall()
    let owner: CallOwner = { tokens: user, request }
    const about = (): About => {
      const { method } = request
      return { provider: name, grant: owner.tokens.lastGrant, method, url: pathOf(request) }
    }
    const tell = (outcome: Pick<EventFields['upstream'], 'status' | 'code' | 'cacheStatus'>) => {
      const duration = (performance.now() - startedAt) / 1000
      app.emit({ type: 'upstream', ...about(), ...outcome, duration })
    }
    const viaCache = async (cached: ResponseCache): Promise<Response> => {
      const rule = cached.ruleFor(request.url, rules)
      owner = await callOwner(access, user, request, rule)
      return cached.fetch(owner.request, {
        ...wish,
        partition: () => callPartition(app, owner.tokens, cached.partition),
        shared: rule?.shared ? sharedPartition(access.provider, cacheKeyOf(app)) : undefined,
        rules,
        signal: () => request.signal,
        authorized: true,
        forward: forwarding(owner, about),
        background: (work) => app.background(work),
      })
    }
    try {
      const cached = cache()
      const response = await (cached ? viaCache(cached) : forwarding(owner, about)({}))
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

type About = Pick<EventFields['upstream'], 'provider' | 'grant' | 'method' | 'url'>

const none: CachedCall['rules'] = []

/** With the names of the query, without its values. */
function pathOf({ url }: Request): string {
  return withoutValues(url).slice(new URL(url).origin.length)
}
