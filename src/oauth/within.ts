import { setImmediate as oneTurn, setTimeout as sleep } from 'node:timers/promises'

/** Rejects with `late` after `seconds`; the work goes on without those who wait for it. */
export async function within<T>(work: Promise<T>, seconds: number, late: Error): Promise<T> {
  const controller = new AbortController()
  const over = sleep(seconds * 1000, undefined, controller).then(async () => {
    // After a stall of the process timers come before results that are there.
    await oneTurn()
    throw late
  })
  // Whichever comes second is nobody's error.
  work.catch(() => {})
  over.catch(() => {})
  return Promise.race([work, over]).finally(() => controller.abort())
}
