import { channel } from 'node:diagnostics_channel'
import { publish } from '../events.ts'

/** The fields that each event of a cache has beside `type`. None holds a token, or a query's values. */
export interface CacheEventFields {
  /** Answered from what is stored; `stale`: beyond its freshness. */
  cache_hit: { url: string; stale: boolean }
  /** Forwarded; `cacheStatus` says why, and what came of it (RFC 9211). */
  cache_miss: { url: string; cacheStatus: string }
  /** Something was taken away, or made stale (`soft`), by a write or by `delete()`. */
  cache_invalidate: { urls: readonly string[]; tags: readonly string[]; soft: boolean }
  /** Everything was taken away, by `clear()`. */
  cache_clear: object
}

/** What has happened in a cache: one of {@link CacheEventFields}, told apart by `type`. */
export type CacheHappening = {
  [Type in keyof CacheEventFields]: { type: Type } & CacheEventFields[Type]
}[keyof CacheEventFields]

/** An event of a cache: what has happened, and when (`at`, epoch ms). */
export type CacheEvent = CacheHappening & { at: number }

const channels = {
  cache_hit: channel('behalf:cache_hit'),
  cache_miss: channel('behalf:cache_miss'),
  cache_invalidate: channel('behalf:cache_invalidate'),
  cache_clear: channel('behalf:cache_clear'),
}

/** Is anybody there to be told? */
export function isHeard(
  listener: ((event: CacheEvent) => void) | undefined,
  type: CacheHappening['type'],
): boolean {
  return listener !== undefined || channels[type].hasSubscribers
}

/** Tells the option `onEvent` and the `diagnostics_channel` named `behalf:<type>`. */
export function tell(
  listener: ((event: CacheEvent) => void) | undefined,
  happening: CacheHappening,
): void {
  publish<CacheHappening>(listener, happening)
}

/** A query's values can be anybody's; its names tell enough. */
export function withoutValues(url: string): string {
  const at = url.search(/[?#]/)
  if (at < 0) return url
  const names = [...new URL(url).searchParams.keys()].map(encodeURIComponent).join('&')
  return names ? `${url.slice(0, at)}?${names}` : url.slice(0, at)
}
