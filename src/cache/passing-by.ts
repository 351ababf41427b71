import type { Answer } from './answer.ts'
import { type CacheHappening, withoutValues } from './cache-events.ts'
import type { Exchange } from './cached-call.ts'
import { isUnsafe, mayHaveChanged } from './http/invalidation.ts'
import type { Bypass } from './request.ts'
import { spoil } from './rules/spoiling.ts'
import type { StoredResponses } from './stored/stored-responses.ts'
import type { UrlPolicies } from './rules/url-policies.ts'

/** What a call that goes by the cache may leave behind there. */
export interface PassingParts {
  /** `undefined`: nothing is stored. */
  readonly responses: StoredResponses | undefined
  readonly policies: UrlPolicies
  readonly tell: (happening: CacheHappening) => void
}

/** Forwards without looking; a write then takes away what it has spoiled. */
export async function passBy(
  exchange: Exchange,
  bypass: Bypass,
  parts: PassingParts,
): Promise<Answer> {
  const { call, asked } = exchange
  const spoils = isUnsafe(asked.method)
  const response = await call.forward({}).catch(async (error: unknown) => {
    // It may have been carried out all the same.
    if (spoils) await takeAway(exchange, undefined, parts)
    throw error
  })
  if (spoils && mayHaveChanged(response)) await takeAway(exchange, response, parts)
  return { response, status: { ...bypass, fwdStatus: response.status, stored: false } }
}

async function takeAway(
  { asked, call }: Exchange,
  reply: Response | undefined,
  { responses, policies, tell }: PassingParts,
): Promise<void> {
  if (!responses) return
  const spoiled = policies.spoiledBy(asked, reply, call)
  await spoil(responses, call, spoiled, (url) => policies.placesOf(url))
  for (const [soft, { urls, tags }] of [
    [false, spoiled],
    [true, spoiled.stale],
  ] as const) {
    if (urls.length + tags.length === 0) continue
    tell({ type: 'cache_invalidate', urls: urls.map(withoutValues), tags, soft })
  }
}
