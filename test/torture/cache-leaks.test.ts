import { afterAll, expect, test } from 'vitest'
import { tortureBackends } from './backends.ts'
import { removeBuiltPrograms } from './built-program.ts'
import { joinLedgers, wrongIn } from './cache-ledger.ts'
import { tortureCacheLeaks } from './cache-leaks.ts'

afterAll(removeBuiltPrograms)

// The long form is `npm run torture cache leaks lies`.
const seed = 'npm test'
const patience = 120_000

test.each(['grant', 'subject'] as const)(
  'CA-02 CA-05 each of a hundred users is served what is for them, and nothing after a logout: in memory, by %s',
  async (partition) => {
    const load = { url: 'memory:', processes: 1, requests: 800, memory: false }
    const { wrong, figures } = await tortureCacheLeaks({ ...load, seed, partition })
    expect(wrong).toEqual([])
    expect(figures['hit']).toBeGreaterThan(0)
  },
  patience,
)

test(
  'CA-02 CA-05 the same for two processes over SQLite with memory before it',
  async () => {
    const sqlite = tortureBackends().find(({ name }) => name === 'sqlite')!
    const { url, close } = await sqlite.start()
    const load = { url, processes: 2, requests: 400, memory: true }
    const result = tortureCacheLeaks({ ...load, seed, partition: 'grant' })
    expect((await result.finally(close)).wrong).toEqual([])
  },
  patience,
)

test(
  'CA-08 CA-09 a store that gives back other values than it was asked for mixes nobody up',
  async () => {
    const load = { url: 'memory:', processes: 1, requests: 500, memory: false, lies: 0.2 }
    const { wrong } = await tortureCacheLeaks({ ...load, seed, partition: 'grant' })
    expect(wrong).toEqual([])
  },
  patience,
)

test('what is wrong is found: a reply before a login, and one after a logout', () => {
  const begun = { a: { begunAt: 10, endedAt: 20 }, b: { begunAt: 10 } }
  const good = {
    a: { lastAskedAt: 19, firstServedAt: 11 },
    b: { lastAskedAt: 99, firstServedAt: 12 },
  }
  expect(wrongIn(joinLedgers([begun, good]), false)).toEqual([])
  const bad = { a: { lastAskedAt: 21, firstServedAt: 11 }, b: { lastAskedAt: 9, firstServedAt: 9 } }
  const found = ['a: a reply after its logout', 'b: a reply before its login']
  expect(wrongIn(joinLedgers([good, begun, bad]), false)).toEqual(found)
  expect(wrongIn(joinLedgers([begun, bad]), true)).toEqual(found.slice(1))
  expect(wrongIn({ c: { lastAskedAt: 1, firstServedAt: 1 } }, false)).toHaveLength(1)
})
