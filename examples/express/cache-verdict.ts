import type { EventFields } from 'behalf'
import { lifeOf } from './time.ts'

/** What the response cache did with one call. */
export interface Verdict {
  kind: 'hit' | 'stored' | 'miss' | 'bypass' | 'failed'
  /** One or two words. */
  label: string
  /** The rest of the story. */
  detail: string
}

type Outcome = Pick<EventFields['upstream'], 'cacheStatus' | 'code'>

/** Spells out what became of a call; its Cache-Status (RFC 9211) is like `behalf; fwd=uri-miss; stored`. */
export function verdictOf({ cacheStatus, code }: Outcome): Verdict {
  if (code !== undefined) return { kind: 'failed', label: 'failed', detail: code }
  if (cacheStatus === undefined) return { kind: 'bypass', label: 'no cache', detail: 'none in use' }
  // Caches further up have their say before ours.
  const [, ...parameters] = cacheStatus.slice(cacheStatus.lastIndexOf('behalf;')).split('; ')
  const told = new URLSearchParams(parameters.join('&'))
  if (told.has('hit')) {
    return { kind: 'hit', label: 'hit', detail: `fresh for ${lifeOf(Number(told.get('ttl')))}` }
  }
  const reason = told.get('detail') ?? ''
  const bypassed = bypasses[told.get('fwd') ?? '']
  if (bypassed) return { kind: 'bypass', label: 'bypass', detail: reasons[reason] ?? bypassed }
  const why = told.get('fwd') === 'stale' ? 'was no longer fresh' : 'was not there'
  if (told.has('stored')) return { kind: 'stored', label: 'miss', detail: `${why}, now stored` }
  return { kind: 'miss', label: 'miss', detail: `${why}, not stored${reason ? `: ${reason}` : ''}` }
}

const bypasses: Readonly<Record<string, string>> = {
  bypass: 'the cache was not asked',
  method: 'a write is never cached',
  request: 'the request wanted a new reply',
}

const reasons: Readonly<Record<string, string>> = {
  'no-rule': 'no rule lets it be stored',
}
