import type { Answer } from './answer.ts'
import {
  type CacheEvent,
  type CacheHappening,
  isHeard,
  tell,
  withoutValues,
} from './cache-events.ts'
import { cacheStatus } from './cache-status.ts'
import { freshFor } from './http/reuse.ts'
import type { Asked } from './stored/stored-responses.ts'

/** Tells of a call that has been answered, where somebody listens. */
export function tellOf(
  answer: Answer,
  { url }: Asked,
  listener: ((event: CacheEvent) => void) | undefined,
): void {
  const type = isHit(answer) ? 'cache_hit' : 'cache_miss'
  if (isHeard(listener, type)) tell(listener, happeningOf(answer, withoutValues(url)))
}

function isHit({ status }: Answer): boolean {
  return status === undefined || status.hit === true
}

function happeningOf(answer: Answer, url: string): CacheHappening {
  const { status } = answer
  if (status && !isHit(answer)) {
    return { type: 'cache_miss', url, cacheStatus: cacheStatus(status) }
  }
  const stale = 'stored' in answer && freshFor(answer.stored, Date.now()) < 0
  return { type: 'cache_hit', url, stale }
}
