import { freshFor } from './http/reuse.ts'
import type { StoredResponse } from './stored/stored-response.ts'

/** A stored response, without its body and headers. */
export interface CacheEntry {
  readonly url: string | undefined
  readonly status: number
  /** Epoch ms. */
  readonly storedAt: number
  /** Until when it may be reused without asking, epoch ms. */
  readonly freshUntil: number
  readonly tags: readonly string[]
  /** Of the body, decoded. */
  readonly bytes: number
}

/** What is told of a stored response. */
export function cacheEntry(response: StoredResponse): CacheEntry {
  const { url, status, receivedAt, tags, body } = response
  const now = Date.now()
  const freshUntil = now + freshFor(response, now) * 1000
  return { url, status, storedAt: receivedAt, freshUntil, tags, bytes: body.byteLength }
}
