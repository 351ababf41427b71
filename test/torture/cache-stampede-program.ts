// One of several processes that ask for the same at once; see cache-stampede.ts.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { cachedFetch } from '../../src/cache/index.ts'
import { createStore } from '../../src/stores/create-store.ts'
import type { StampedeCounts } from './cache-stampede.ts'

/** `aborts`: the first caller of each process goes away at once. */
export interface StampedeTask {
  upstream: string
  calls: number
  aborts: boolean
}

export type StampedeReply = StampedeCounts

const [url = '', number = ''] = process.argv.slice(2)
const store = createStore(url)
const upstream: typeof fetch = (input, init) =>
  fetch(input, { ...init, headers: { 'x-process': number } })
const cached = cachedFetch(upstream, {
  store,
  collapse: 'store',
  defaultTtl: 60,
  partition: 'everybody of the stampede',
  secret: 'a-secret-of-the-torture-that-is-long-enough-0123456789',
})

process.on('disconnect', () => process.exit())
process.on('message', (task: StampedeTask) => {
  void ask(task).then((counts) => process.send?.(counts))
})
// Drivers load and connect at their first use.
await store.get('connect')
process.send?.({ ready: true })

async function ask({ upstream: thing, calls, aborts }: StampedeTask): Promise<StampedeCounts> {
  const leaving = new AbortController()
  const all = Array.from({ length: calls }, async (_, index) => {
    // As requests come in: not all of them in one turn of the event loop.
    for (let turns = Math.floor(index / 25); turns > 0; turns -= 1) await nextTurn()
    const signal = aborts && index === 0 ? leaving.signal : undefined
    const reply = await cached(thing, signal ? { signal } : {})
    const text = await reply.text()
    if (!text.startsWith('the thing')) throw new Error(`a reply: ${text.slice(0, 50)}`)
  })
  if (aborts) setTimeout(() => leaving.abort(), 50)
  const settled = await Promise.allSettled(all)
  const failures = settled.flatMap((one) =>
    one.status === 'rejected' && (one.reason as Error).name !== 'AbortError'
      ? [String(one.reason)]
      : [],
  )
  return { served: settled.filter(({ status }) => status === 'fulfilled').length, failures }
}
