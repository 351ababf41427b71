import { setTimeout as sleep } from 'node:timers/promises'
import { Keyv } from 'keyv'
import { describe, expect, test } from 'vitest'
import { ConfigError, StoreUnavailableError } from '../../../src/errors.ts'
import { isKeyvClient, keyvStore } from '../../../src/stores/keyv.ts'
import type { Store } from '../../../src/stores/store.ts'
import { describeStore } from '../describe-store.ts'

const keyv = new Keyv()
const value = Buffer.from('value')
describeStore('Keyv', () => keyvStore(keyv), ['keys', 'clear'])

/** An adapter that fails as it is told: it throws, or emits an error and gives nothing. */
class Adapter {
  readonly values = new Map<string, unknown>()
  readonly opts = {}
  fault: 'throws' | 'emits' | 'hangs' | undefined
  /** Lets go on what hangs. */
  release: () => void = () => {}
  readonly #released = new Promise<void>((resolve) => (this.release = resolve))
  #listener: (error: Error) => void = () => {}

  on(event: string, listener: (error: Error) => void): void {
    if (event === 'error') this.#listener = listener
  }

  async get(key: string): Promise<unknown> {
    return (await this.#failing()) ? undefined : this.values.get(key)
  }

  async set(key: string, stored: unknown): Promise<void> {
    if (!(await this.#failing())) this.values.set(key, stored)
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#failing()) ? false : this.values.delete(key)
  }

  async clear(): Promise<void> {
    throw new Error('it would clear all namespaces')
  }

  /** As a connection that breaks in the background. */
  fail(): void {
    this.#listener(new Error('s3cret-p4ssword'))
  }

  async #failing(): Promise<boolean> {
    if (this.fault === 'hangs') await this.#released
    const error = new Error('s3cret-p4ssword')
    if (this.fault === 'throws') throw error
    if (this.fault === 'emits') this.#listener(error)
    return this.fault === 'emits'
  }
}

/** One that Keyv takes for an adapter that can list. */
class ListingAdapter extends Adapter {
  override readonly opts = { dialect: 'redis' }

  async *iterator(): AsyncIterable<[string, unknown]> {
    if ((await this.get('any')) === undefined) return
    yield* this.values
  }
}

function failing(): { adapter: Adapter; store: Store } {
  const adapter = new Adapter()
  return { adapter, store: keyvStore(new Keyv({ store: adapter }), { commandTimeout: 0.2 }) }
}

describe('failures', () => {
  test.each(['throws', 'emits', 'hangs'] as const)(
    'an adapter that %s is unavailable, never empty',
    async (fault) => {
      const { adapter, store } = failing()
      await store.set('key', value)
      adapter.fault = fault
      for (const call of [
        () => store.get('key'),
        () => store.set('key', value),
        () => store.delete('key'),
        () => store.compareAndSwap('key', undefined, value),
        () => store.compareAndDelete('key', 'version'),
        () => store.set('key', value, { ttl: 0 }),
      ]) {
        const failure = await call().catch((error: unknown) => error)
        expect(failure).toBeInstanceOf(StoreUnavailableError)
        expect(String((failure as Error).stack)).not.toContain('s3cret')
      }
      adapter.fault = undefined
      adapter.release()
      expect(await store.get('key')).toMatchObject({ value })
      expect(await store.delete('key')).toBe(true)
    },
  )

  test('what is found counts although another call fails meanwhile', async () => {
    const { adapter, store } = failing()
    await store.set('key', value)
    let answer = () => {}
    const answered = new Promise<void>((resolve) => (answer = resolve))
    const found = adapter.values.get('keyv:=key') ?? adapter.values.get('keyv::=key')
    adapter.get = async () => {
      await answered
      return found
    }
    const reading = store.get('key')
    adapter.fail()
    answer()
    expect(await reading).toMatchObject({ value })
  })

  test('a value that will not go is told', async () => {
    const { adapter, store } = failing()
    await store.set('key', value)
    adapter.delete = async () => false
    await expect(store.delete('key')).rejects.toThrow('did not delete')
  })

  test('a list that breaks off is unavailable, and clears nothing in silence', async () => {
    for (const fault of ['throws', 'emits'] as const) {
      const adapter = new ListingAdapter()
      const store = keyvStore(new Keyv({ store: adapter }))
      await store.set('key', value)
      adapter.fault = fault
      await expect(listed(store)).rejects.toThrow(StoreUnavailableError)
      await expect(store.clear?.('')).rejects.toThrow(StoreUnavailableError)
    }
  })

  test('a Keyv that is told to hide its errors is refused', () => {
    expect(() => keyvStore(new Keyv({ emitErrors: false }))).toThrow(ConfigError)
  })
})

describe('an adapter that is slow', () => {
  /** Makes the next `set` take so long. */
  function slowDown(adapter: Adapter, ms: number): void {
    const set = adapter.set.bind(adapter)
    let waits = ms
    adapter.set = async (key, stored) => {
      const late = sleep(waits)
      waits = 0
      await late
      await set(key, stored)
    }
  }
  const outcome = (call: Promise<unknown>) =>
    call.catch((error: unknown) => {
      expect(error).toBeInstanceOf(StoreUnavailableError)
      return 'unknown'
    })
  const [a, b] = [Buffer.from('A'), Buffer.from('B')]

  test('a write that comes late does not come over one that has succeeded', async () => {
    const { adapter, store } = failing()
    slowDown(adapter, 300)
    expect(await outcome(store.set('key', value))).toBe('unknown')
    // It waits, and then finds what the late one has written.
    expect(await outcome(store.compareAndSwap('key', undefined, a))).toBeUndefined()
    await store.set('key', b)
    await sleep(150)
    expect(await store.get('key')).toMatchObject({ value: b })
  })

  test('of two comparisons the late one does not come over the other', async () => {
    const { adapter, store } = failing()
    await store.set('key', value)
    const { version } = (await store.get('key'))!
    slowDown(adapter, 600)
    expect(await outcome(store.compareAndSwap('key', version, a))).toBe('unknown')
    expect(await outcome(store.compareAndSwap('key', version, b))).toBe('unknown')
    // The late write comes now, and was first.
    await expect.poll(async () => (await store.get('key'))?.value).toMatchObject(a)
    expect(await store.compareAndSwap('key', version, b)).toBeUndefined()
    expect(await store.get('key')).toMatchObject({ value: a })
  })

  test('its key is unavailable until it has ended the call, and other keys are not', async () => {
    const { adapter, store } = failing()
    await store.set('key', value)
    adapter.fault = 'hangs'
    expect(await outcome(store.set('key', a))).toBe('unknown')
    adapter.fault = undefined
    for (let count = 0; count < 3; count += 1) {
      const startedAt = performance.now()
      expect(await outcome(store.set('key', b))).toBe('unknown')
      expect(performance.now() - startedAt).toBeLessThan(1000)
    }
    await store.set('other', value)
    expect(await store.get('key')).toMatchObject({ value })
    adapter.release()
    await expect.poll(() => store.get('key')).toMatchObject({ value: a })
    // Those who gave up have left: none of them writes afterwards.
    await sleep(50)
    expect(await store.get('key')).toMatchObject({ value: a })
    await store.set('key', b)
    expect(await store.get('key')).toMatchObject({ value: b })
  })

  test('what has found its value too late writes nothing', async () => {
    const { adapter, store } = failing()
    await store.set('key', value)
    const { version } = (await store.get('key'))!
    adapter.fault = 'hangs'
    expect(await outcome(store.compareAndSwap('key', version, a))).toBe('unknown')
    adapter.fault = undefined
    adapter.release()
    await sleep(50)
    expect(await store.get('key')).toMatchObject({ value, version })
  })

  test('a list that hangs is unavailable in time, at its beginning and in the middle', async () => {
    for (const hangsAt of [0, 1]) {
      const adapter = new ListingAdapter()
      adapter.iterator = async function* () {
        if (hangsAt === 1) yield* adapter.values
        await new Promise(() => {})
      }
      const store = keyvStore(new Keyv({ store: adapter }), { commandTimeout: 0.1 })
      await store.set('key', value)
      await expect(listed(store)).rejects.toThrow('in time')
      await expect(store.clear?.('')).rejects.toThrow(StoreUnavailableError)
    }
  })

  test('a time-out of a century is one', async () => {
    const store = keyvStore(new Keyv(), { commandTimeout: 1e10 })
    await store.set('key', value)
    expect(await store.get('key')).toMatchObject({ value })
  })

  test('a RangeError of an adapter is a failure of the store', async () => {
    const { adapter, store } = failing()
    adapter.set = async () => {
      throw new RangeError('s3cret-p4ssword')
    }
    expect(await outcome(store.set('key', value))).toBe('unknown')
  })
})

describe('what is stored', () => {
  test('a default ttl of the Keyv does not end what has none', async () => {
    const store = keyvStore(new Keyv({ ttl: 30 }))
    await store.set('key', value)
    await store.set('century', value, { ttl: 1e15 })
    await sleep(60)
    expect(await store.get('key')).toMatchObject({ value })
    expect(await store.get('century')).toMatchObject({ value })
  })

  test('a key that begins with the namespace is another key than the rest of it', async () => {
    const store = keyvStore(new Keyv({ namespace: 'keyv' }))
    await store.set('key', value)
    await store.set('keyv:key', Buffer.from('other'))
    expect(await store.get('key')).toMatchObject({ value })
    expect(() => keyvStore(new Keyv({ namespace: '=' }))).toThrow(ConfigError)
  })

  test('ST-02 namespaces that share an adapter neither see nor clear each other', async () => {
    const shared = new Map()
    const one = keyvStore(new Keyv({ store: shared, namespace: 'one' }))
    const other = keyvStore(new Keyv({ store: shared, namespace: 'other' }))
    for (const key of ['one', 'other', 'key']) await one.set(key, value)
    await other.set('one', value)
    expect(await listed(other)).toEqual(['one'])
    await other.clear?.('')
    expect(await listed(other)).toEqual([])
    for (const key of ['one', 'other', 'key']) expect(await one.get(key)).toMatchObject({ value })
  })

  const record = { key: 'key', version: 'v', value: 'dmFsdWU=' }
  test.each([
    ['no JSON', '{"va'],
    ['no record', JSON.stringify({ value: 5 })],
    ['a record without a version', wrapped({ ...record, version: undefined })],
    ['a record with bytes as an object', wrapped({ ...record, value: { type: 'Buffer' } })],
    ['the record of another key', wrapped({ ...record, key: 'other' })],
    ['a record that has expired', wrapped({ ...record, expiresAt: 5 })],
    ['a record whose end is text', wrapped({ ...record, expiresAt: 'never' })],
    ['a record of more than it takes', wrapped({ ...record, value: 'A'.repeat(2 ** 21) })],
    ['null in it', JSON.stringify({ value: 'null' })],
  ])('an entry with %s is a miss, and can be written over', async (_name, text) => {
    const map = new Map([['keyv:=key', text]])
    const store = keyvStore(new Keyv({ store: map }))
    expect(await store.get('key')).toBeUndefined()
    expect(await store.compareAndSwap('key', 'v', value)).toBeUndefined()
    expect(await store.compareAndSwap('key', undefined, value)).toBeDefined()
    expect(await store.get('key')).toMatchObject({ value })
  })
})

describe('options', () => {
  test('it is told from what is no Keyv', () => {
    expect(isKeyvClient(keyv)).toBe(true)
    for (const other of [undefined, null, 'keyv:', {}, new Map()]) {
      expect(isKeyvClient(other)).toBe(false)
      expect(() => keyvStore(other as never)).toThrow(ConfigError)
    }
  })

  test('it is durable when the caller says so, and takes as much as the caller says', () => {
    expect(keyvStore(keyv).durable).toBe(false)
    const store = keyvStore(keyv, { durable: true, maxValueBytes: 5 })
    expect([store.durable, store.maxValueBytes, store.reach]).toEqual([true, 5, 'process'])
    for (const options of [
      { durable: 'yes' as never },
      { maxValueBytes: 0 },
      { commandTimeout: Number.NaN },
    ]) {
      expect(() => keyvStore(keyv, options)).toThrow(ConfigError)
    }
  })

  test('two stores over one Keyv compare with each other', async () => {
    const stores = Array.from({ length: 20 }, () => keyvStore(keyv))
    const tries = stores.map((store) => store.compareAndSwap('shared', undefined, value))
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1)
    await stores[0]?.delete('shared')
  })

  test('it cannot list where the adapter cannot', () => {
    const { store } = failing()
    expect([store.keys, store.clear]).toEqual([undefined, undefined])
  })

  test('closing lets go of the Keyv and leaves it open', async () => {
    const own = new Keyv()
    const store = keyvStore(own)
    await store.set('key', value)
    await store.close()
    await store.close()
    expect(own.listeners('error')).toEqual([])
    expect(await own.get('=key')).toBeDefined()
    await expect(store.get('key')).rejects.toThrow('it has been closed')
  })
})

/** As Keyv itself keeps a value. */
function wrapped(record: object): string {
  return JSON.stringify({ value: JSON.stringify(record) })
}

async function listed(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const key of store.keys!('')) keys.push(key)
  return keys
}
