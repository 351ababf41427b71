import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeEach, test, vi } from 'vitest'
import { KeyRing } from '../../src/key-ring.ts'
import { fileStore } from '../../src/stores/file.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sealed } from '../../src/stores/sealed.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['Date', 'performance'] }))
afterEach(() => vi.useRealTimers())

interface Entry {
  value: string
  version: string
  /** Seconds on the model's own clock. */
  expiresAt: number
}

/** What a store is, said with a Map: each operation is done on both and must end alike. */
class Model {
  readonly #store: Store
  readonly #entries = new Map<string, Entry>()
  readonly #versions = new Map<string, Set<string>>()
  #now = 0

  constructor(store: Store) {
    this.#store = store
  }

  advance(seconds: number): void {
    vi.advanceTimersByTime(seconds * 1000)
    this.#now += seconds
  }

  async check(key: string): Promise<void> {
    const found = await this.#store.get(key)
    const { value, version } = this.#live(key) ?? {}
    assert.equal(found && Buffer.from(found.value).toString(), value)
    assert.equal(found?.version, version)
  }

  async set(key: string, value: string, ttl: number | undefined): Promise<void> {
    await this.#store.set(key, Buffer.from(value), { ttl })
    const found = await this.#store.get(key)
    this.#write(key, value, ttl, found?.version)
  }

  async delete(key: string): Promise<void> {
    assert.equal(await this.#store.delete(key), this.#live(key) !== undefined)
    this.#entries.delete(key)
  }

  async swap(key: string, which: Which, value: string, ttl: number | undefined): Promise<void> {
    const version = this.#version(key, which)
    const swapped = await this.#store.compareAndSwap(key, version, Buffer.from(value), { ttl })
    assert.equal(swapped !== undefined, this.#live(key)?.version === version)
    if (swapped !== undefined) this.#write(key, value, ttl, swapped)
  }

  async deleteVersion(key: string, which: Which): Promise<void> {
    const version = this.#version(key, which) ?? 'none'
    const deleted = await this.#store.compareAndDelete(key, version)
    assert.equal(deleted, this.#live(key)?.version === version)
    if (deleted) this.#entries.delete(key)
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    return entry && entry.expiresAt > this.#now ? entry : undefined
  }

  #version(key: string, which: Which): string | undefined {
    if (which === 'absent') return undefined
    if (which === 'present') return this.#live(key)?.version
    return [...(this.#versions.get(key) ?? ['none'])].at(which === 'first' ? 0 : -1)
  }

  #write(key: string, value: string, ttl = Infinity, version?: string): void {
    if (version !== undefined) this.#use(key, version)
    if (ttl > 0) this.#entries.set(key, { value, version: version!, expiresAt: this.#now + ttl })
    else this.#entries.delete(key)
  }

  /** No version may come a second time. */
  #use(key: string, version: string): void {
    const used = this.#versions.get(key) ?? new Set()
    assert.equal(used.has(version), false)
    this.#versions.set(key, used.add(version))
  }
}

type Which = 'absent' | 'present' | 'first' | 'last'
type Step = (model: Model) => Promise<void> | void

const key = fc.constantFrom('a', 'a:b', 'c')
const value = fc.string({ maxLength: 5 })
const ttl = fc.constantFrom(undefined, undefined, 0, -1, 0.5, 1, 10, 2_592_001)
const which = fc.constantFrom<Which>('absent', 'present', 'present', 'first', 'last')
const step: fc.Arbitrary<Step> = fc.oneof(
  key.map(
    (k): Step =>
      (model) =>
        model.check(k),
  ),
  fc.tuple(key, value, ttl).map(
    ([k, v, t]): Step =>
      (model) =>
        model.set(k, v, t),
  ),
  key.map(
    (k): Step =>
      (model) =>
        model.delete(k),
  ),
  fc.tuple(key, which, value, ttl).map(
    ([k, w, v, t]): Step =>
      (model) =>
        model.swap(k, w, v, t),
  ),
  fc.tuple(key, which).map(
    ([k, w]): Step =>
      (model) =>
        model.deleteVersion(k, w),
  ),
  fc.constantFrom(0.25, 1, 9.5).map(
    (seconds): Step =>
      (model) =>
        model.advance(seconds),
  ),
)

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'behalf-model-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let roots = 0

const keyRing = new KeyRing(['0123456789abcdef0123456789abcdef'])
const stores: Record<string, () => Store> = {
  memoryStore: () => memoryStore(),
  sqliteStore: () => sqliteStore(':memory:', { driver: 'libsql' }),
  fileStore: () => fileStore({ path: join(folder, `${(roots += 1)}`), fsync: false }),
  'sealed(memoryStore)': () => sealed(memoryStore(), keyRing),
}

// oxlint-disable-next-line vitest/expect-expect -- the model asserts
test.each(Object.entries(stores))('%s does what a Map with a clock does', async (_, make) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const store = make()
      const model = new Model(store)
      for (const act of steps) {
        await act(model)
        for (const name of ['a', 'a:b', 'c']) await model.check(name)
      }
      await store.close()
    }),
    { numRuns: 150 },
  )
})
