import { expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import type { SetOptions, Store, StoredValue } from '../../src/stores/store.ts'
import { storeContract } from '../../src/testing/stores/store-contract.ts'

/** A memory store of which single operations can be replaced by wrong ones. */
class FaultyStore implements Store {
  readonly inner: Store = memoryStore()
  readonly reach = 'process'
  readonly durable = true
  readonly maxValueBytes: number = this.inner.maxValueBytes
  get(key: string): Promise<StoredValue | undefined> {
    return this.inner.get(key)
  }
  set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    return this.inner.set(key, value, options)
  }
  delete(key: string): Promise<boolean> {
    return this.inner.delete(key)
  }
  compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    return this.inner.compareAndSwap(key, version, value, options)
  }
  compareAndDelete(key: string, version: string): Promise<boolean> {
    return this.inner.compareAndDelete(key, version)
  }
  close(): Promise<void> {
    return this.inner.close()
  }
}

const faults: Record<string, () => Store> = {
  'text instead of bytes': () =>
    new (class extends FaultyStore {
      override set(key: string, value: Uint8Array, options?: SetOptions) {
        return super.set(key, Buffer.from(Buffer.from(value).toString()), options)
      }
    })(),
  'an empty value is taken for none': () =>
    new (class extends FaultyStore {
      override async get(key: string) {
        const found = await super.get(key)
        return found?.value.length ? found : undefined
      }
    })(),
  'the whole buffer behind a part': () =>
    new (class extends FaultyStore {
      override set(key: string, value: Uint8Array, options?: SetOptions) {
        return super.set(key, new Uint8Array(value.buffer), options)
      }
    })(),
  'a value is taken later than at the call': () =>
    new (class extends FaultyStore {
      override async set(key: string, value: Uint8Array, options?: SetOptions) {
        await Promise.resolve()
        return super.set(key, value, options)
      }
    })(),
  'what is read is what is stored': () =>
    new (class extends FaultyStore {
      readonly #read = new Map<string, StoredValue>()
      override async get(key: string) {
        const found = await super.get(key)
        const before = this.#read.get(`${key} ${found?.version}`)
        if (found) this.#read.set(`${key} ${found.version}`, before ?? found)
        return before ?? found
      }
    })(),
  'keys are folded': () =>
    new (class extends FaultyStore {
      override get(key: string) {
        return super.get(key.replaceAll('_', '-'))
      }
      override set(key: string, value: Uint8Array, options?: SetOptions) {
        return super.set(key.replaceAll('_', '-'), value, options)
      }
    })(),
  'keys are cut': () =>
    new (class extends FaultyStore {
      override get(key: string) {
        return super.get(key.slice(0, 119))
      }
      override set(key: string, value: Uint8Array, options?: SetOptions) {
        return super.set(key.slice(0, 119), value, options)
      }
    })(),
  'a value that is too large is dropped in silence': () =>
    new (class extends FaultyStore {
      override async set(key: string, value: Uint8Array, options?: SetOptions) {
        if (value.length <= this.maxValueBytes) await super.set(key, value, options)
      }
    })(),
  'delete always says yes': () =>
    new (class extends FaultyStore {
      override async delete(key: string) {
        await super.delete(key)
        return true
      }
    })(),
  'compareAndDelete does not compare': () =>
    new (class extends FaultyStore {
      override compareAndDelete(key: string) {
        return super.delete(key)
      }
    })(),
  'compareAndSwap looks before it writes, not as it writes': () =>
    new (class extends FaultyStore {
      override async compareAndSwap(
        key: string,
        version: string | undefined,
        value: Uint8Array,
        options?: SetOptions,
      ) {
        if ((await super.get(key))?.version !== version) return undefined
        await super.set(key, value, options)
        return (await super.get(key))?.version ?? 'gone'
      }
    })(),
  'an empty version counts as none': () =>
    new (class extends FaultyStore {
      override compareAndSwap(
        key: string,
        version: string | undefined,
        value: Uint8Array,
        options?: SetOptions,
      ) {
        return super.compareAndSwap(key, version || undefined, value, options)
      }
    })(),
  'versions count from one again after a delete': () =>
    new (class extends FaultyStore {
      readonly #counts = new Map<string, { inner: string; count: number }>()
      override async get(key: string) {
        const found = await super.get(key)
        if (!found) return void this.#counts.delete(key)
        const last = this.#counts.get(key) ?? { inner: '', count: 0 }
        const count = last.inner === found.version ? last.count : last.count + 1
        this.#counts.set(key, { inner: found.version, count })
        return { value: found.value, version: String(count) }
      }
      override async compareAndSwap(
        key: string,
        version: string | undefined,
        value: Uint8Array,
        options?: SetOptions,
      ) {
        const seen = (await this.get(key))?.version
        if (seen !== version) return undefined
        const inner = this.#counts.get(key)?.inner
        const done = await super.compareAndSwap(key, inner, value, options)
        return done && ((await this.get(key))?.version ?? done)
      }
    })(),
  'a ttl in whole seconds': () => withTtl((ttl) => ttl && Math.floor(ttl)),
  'a ttl that is never less than a second': () =>
    withTtl((ttl) => (ttl && ttl > 0 ? Math.max(1, ttl) : ttl)),
  'a ttl above 30 days is an instant': () =>
    withTtl((ttl) => (ttl && ttl > 2_592_000 ? ttl - Date.now() / 1000 : ttl)),
  'a ttl of zero means for ever': () => withTtl((ttl) => ttl || undefined),
  'a ttl below zero means for ever': () => withTtl((ttl) => (ttl && ttl < 0 ? undefined : ttl)),
  'a ttl that is NaN means for ever': () => withTtl((ttl) => (Number.isNaN(ttl) ? undefined : ttl)),
  'an expired value can still be swapped': () =>
    new (class extends FaultyStore {
      override async compareAndSwap(
        key: string,
        version: string | undefined,
        value: Uint8Array,
        options?: SetOptions,
      ) {
        const found = await super.get(key)
        return super.compareAndSwap(key, found ? version : undefined, value, options)
      }
    })(),
  'closing twice throws': () =>
    new (class extends FaultyStore {
      #closed = false
      override async close() {
        if (this.#closed) throw new Error('closed')
        this.#closed = true
      }
    })(),
}

function withTtl(change: (ttl: number | undefined) => number | undefined): Store {
  return new (class extends FaultyStore {
    override set(key: string, value: Uint8Array, options?: SetOptions) {
      return super.set(key, value, { ttl: change(options?.ttl) })
    }
    override compareAndSwap(
      key: string,
      version: string | undefined,
      value: Uint8Array,
      options?: SetOptions,
    ) {
      return super.compareAndSwap(key, version, value, { ttl: change(options?.ttl) })
    }
  })()
}

test.concurrent.each(Object.entries(faults))('the contract finds: %s', async (_, make) => {
  const results = await Promise.allSettled(storeContract(make).map(({ run }) => run()))
  expect(results.some(({ status }) => status === 'rejected')).toBe(true)
})
