import type { LeaseEntry } from './lease-entry.ts'

/** What a lease as it stands means for who wants to present a refresh token. */
export type Standing =
  /** It may be taken; `again`: the token may have been presented already. */
  | { is: 'free'; failures: number; again: boolean }
  /** Somebody is at it: look again soon. */
  | { is: 'held' }
  /** Nobody is to ask for `wait` seconds. */
  | { is: 'closed'; wait: number; refusal: string | undefined }

const unused: Standing = { is: 'free', failures: 0, again: false }

/** What is found at a lease's place. */
export interface Sight {
  /** `undefined` for what is no entry: then nobody knows what its owner does. */
  entry: LeaseEntry | undefined
  /** Seconds for which it has been seen unchanged, by our own clock. */
  watched: number
}

/**
 * A lease ends by being watched: when it has not changed for as long as it lasts, by the watcher's
 * own clock. Clocks that differ take it from nobody; they can only shorten a pause.
 */
export function standingOf(
  { entry, watched }: Sight,
  token: string,
  lease: number,
  now = Date.now(),
): Standing {
  if (entry && entry.token !== token) return unused
  if (entry?.phase === 'cooling') return afterPause(entry, now)
  const left = Math.max(lease, entry?.lease ?? 0) - watched
  if (left <= 0) return afterPause({ ...entry, failures: entry?.failures ?? 0, again: true }, now)
  return entry?.phase === 'unknown'
    ? { is: 'closed', wait: left, refusal: undefined }
    : { is: 'held' }
}

/** A pause that is farther away than it was long is one of another clock. */
function afterPause(
  {
    failures,
    again,
    notBefore = 0,
    pause = 0,
    refusal,
  }: Pick<LeaseEntry, 'failures' | 'again' | 'notBefore' | 'pause' | 'refusal'>,
  now: number,
): Standing {
  const wait = (notBefore - now) / 1000
  return wait > 0 && wait <= pause
    ? { is: 'closed', wait, refusal }
    : { is: 'free', failures, again }
}
