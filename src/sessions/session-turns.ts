import { setTimeout as sleep } from 'node:timers/promises'
import { processState } from '../process-state.ts'

/** Milliseconds after which a store that does not answer holds nobody up any more. */
const patience = 5_000

/** The last of those who work on a session's row in this process, by its id. */
const turns = processState('session turns', () => new Map<string, Promise<unknown>>())

/**
 * Does work on a session's row when all that was begun before is done: who reads a row, changes it
 * and writes it back would else write over what somebody has saved in between. The first one in
 * line does not wait at all.
 */
export function inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(id)
  const done = before ? before.then(work) : work()
  const timeOut = new AbortController()
  const settled = done.then(nothing, nothing).finally(() => timeOut.abort())
  const late = sleep(patience, undefined, { signal: timeOut.signal, ref: false }).catch(nothing)
  const over = Promise.race([settled, late]).then(() => {
    if (turns.get(id) === over) turns.delete(id)
  })
  turns.set(id, over)
  return done
}

function nothing(): void {}
