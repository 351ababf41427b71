import { EventEmitter } from 'node:events'
import { randomBytes } from 'node:crypto'
import * as vitest from 'vitest'
import {
  keyvApiTests,
  keyvIteratorTests,
  keyvNamespaceTest,
  keyvValueTests,
} from '@keyv/test-suite'
import { Keyv } from 'keyv'
import type { Store } from '../../src/stores/store.ts'

/** Keyv's own tests, a suite that nobody here wrote, on whatever store is behind them. */
export function describeKeyv(make: () => Store): void {
  vitest.describe("Keyv's own test suite", () => {
    const store = make()
    const prefix = `keyv-${randomBytes(6).toString('hex')}-`
    const adapter = () => new KeyvAdapter(store, prefix)
    vitest.afterAll(() => store.close())
    keyvApiTests(vitest, Keyv, adapter)
    keyvValueTests(vitest, Keyv, adapter)
    keyvNamespaceTest(vitest, Keyv, adapter)
    if (store.keys) keyvIteratorTests(vitest, Keyv, adapter)
  })
}

/** A store as Keyv wants its storage to be. */
class KeyvAdapter extends EventEmitter {
  /** Keyv lists the keys of dialects that it knows, and of no others. */
  readonly opts = { dialect: 'sqlite', url: '' }
  namespace: string | undefined
  readonly #store: Store
  readonly #prefix: string

  constructor(store: Store, prefix: string) {
    super()
    this.#store = store
    this.#prefix = prefix
  }

  async get(key: string): Promise<string | undefined> {
    const found = await this.#store.get(this.#prefix + key)
    return found && Buffer.from(found.value).toString()
  }

  async set(key: string, value: string, ttl?: number): Promise<boolean> {
    const seconds = ttl === undefined ? undefined : ttl / 1000
    await this.#store.set(this.#prefix + key, Buffer.from(value), { ttl: seconds })
    return true
  }

  async delete(key: string): Promise<boolean> {
    return this.#store.delete(this.#prefix + key)
  }

  async clear(): Promise<void> {
    await this.#store.clear?.(`${this.#prefix}${this.namespace}:`)
  }

  async *iterator(namespace?: string): AsyncGenerator<[key: string, value: string | undefined]> {
    for await (const key of this.#store.keys?.(`${this.#prefix}${namespace}:`) ?? []) {
      const name = key.slice(this.#prefix.length)
      yield [name, await this.get(name)]
    }
  }
}
