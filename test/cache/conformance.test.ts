import { readFileSync } from 'node:fs'
import { Agent, cacheStores, fetch as undiciFetch, interceptors } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cachedFetch } from '../../src/cache/index.ts'
import { component } from '../components.ts'
import { cacheStoresForTests, type CacheStoreForTests } from './cache-stores.ts'
import { type Contestant, runSuite, type Verdict } from './conformance-suite.ts'

/** What is known to fail, why, and how much passes: none of it may become worse. */
interface Gate {
  failures: Array<{ ids: string[]; reason: string }>
  least: Record<'private' | 'shared', { required: number; optimal: number; check: number }>
}

const gate = JSON.parse(
  readFileSync(new URL('./conformance-gate.json', import.meta.url), 'utf8'),
) as Gate
const suite = component('http-cache-tests')
const kinds = ['shared', 'private'] as const

/** undici 7's own cache, over the same `fetch`. */
function undici(kind: 'shared' | 'private'): Contestant {
  const store = new cacheStores.MemoryCacheStore()
  const dispatcher = new Agent().compose(interceptors.cache({ type: kind, store }))
  const fetched = (url: string, init: RequestInit) =>
    undiciFetch(url, { ...init, dispatcher } as Parameters<typeof undiciFetch>[1])
  return { name: 'undici 7, memory', kind, fetch: fetched as unknown as Contestant['fetch'] }
}

describe.skipIf(!suite.present)('the public suite of HTTP caches', () => {
  const verdicts = new Map<string, Verdict>()
  let stores: CacheStoreForTests[] = []

  beforeAll(async () => {
    stores = await cacheStoresForTests()
    const ours = await Promise.all(
      stores.flatMap(({ name, open }) =>
        kinds.map(async (kind) => {
          const fetched = cachedFetch(fetch, { mode: kind, store: await open(`suite-${kind}`) })
          return { name: `behalf, ${name}`, kind, fetch: fetched as Contestant['fetch'] }
        }),
      ),
    )
    const theirs = kinds.map(undici)
    const judged = await runSuite(suite.path, [...ours, ...theirs])
    for (const [{ name, kind }, verdict] of judged) verdicts.set(`${name} ${kind}`, verdict)
    console.log(table(judged))
  }, 540_000)

  afterAll(async () => {
    for (const { close } of stores) await close()
  })

  const known = new Set(gate.failures.flatMap(({ ids }) => ids))
  const names = ['memory', 'sqlite', 'file', 'redis']

  describe.each(names)('on %s', (name) => {
    test.for(kinds)('as a %s cache: nothing fails that is not known', (kind, { skip }) => {
      const verdict = verdicts.get(`behalf, ${name} ${kind}`)
      if (!verdict) return skip(`${name} is not there`)
      const failed = verdict.failed.required.filter((id) => !known.has(id))
      expect(failed.map((id) => `${id}: ${verdict.why[id]}`)).toEqual([])
    })

    test.for(kinds)('as a %s cache: as many pass as ever', (kind, { skip }) => {
      const verdict = verdicts.get(`behalf, ${name} ${kind}`)
      if (!verdict) return skip(`${name} is not there`)
      for (const what of ['required', 'optimal', 'check'] as const) {
        expect(verdict.passed[what], what).toBeGreaterThanOrEqual(gate.least[kind][what])
      }
    })
  })

  test('what is known to fail does: the list is no longer than it has to be', () => {
    const failing = new Set(
      kinds.flatMap((kind) => verdicts.get(`behalf, memory ${kind}`)!.failed.required),
    )
    expect([...known].filter((id) => !failing.has(id))).toEqual([])
  })

  test('fewer required tests fail than with undici', () => {
    for (const kind of kinds) {
      const failures = (name: string) => verdicts.get(`${name} ${kind}`)!.failed.required.length
      expect(failures('behalf, memory')).toBeLessThan(failures('undici 7, memory'))
    }
  })
})

function table(judged: ReadonlyMap<Contestant, Verdict>): string {
  const rows = [...judged].map(([{ name, kind }, { total, passed, failed, skipped }]) => {
    const of = (what: 'required' | 'optimal' | 'check') => `${passed[what]}/${total[what]}`
    const counts = [of('required'), failed.required.length, of('optimal'), of('check')]
    return [name, kind, ...counts, skipped.length]
  })
  const head = ['cache', 'kind', 'required', 'failed', 'optimal', 'check', 'not reached']
  const lines = [head, ...rows].map((cells) =>
    cells.map((cell) => String(cell).padEnd(18)).join(''),
  )
  return lines.join('\n')
}
