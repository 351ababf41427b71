import type { Store } from '../stores/store.ts'
import { type Partition, responseKey } from './partition.ts'
import {
  decodeResponse,
  encodeResponse,
  openResponse,
  sealResponse,
  type StoredResponse,
} from './stored-response.ts'

/**
 * Finds and keeps stored responses. A store that fails is passed by: it finds nothing and keeps
 * nothing, and the caller never hears of it.
 */
export class StoredResponses {
  readonly #store: Store
  readonly #namespace: string
  /** Within the process a value is in nobody else's reach; sealing it would only cost time. */
  readonly #sealing: boolean

  constructor(store: Store, namespace: string) {
    this.#store = store
    this.#namespace = namespace
    this.#sealing = store.reach !== 'process'
  }

  async find(partition: Partition, request: Request): Promise<StoredResponse | undefined> {
    const key = responseKey(this.#namespace, partition, request)
    const stored = await passBy(this.#store.get(key))
    if (!stored) return undefined
    const value = this.#sealing ? openResponse(partition.key, key, stored.value) : stored.value
    return value && decodeResponse(key, value)
  }

  /** Tells whether it was kept. `ttl` in seconds. */
  async keep(
    partition: Partition,
    request: Request,
    response: Omit<StoredResponse, 'key'>,
    ttl: number,
  ): Promise<boolean> {
    const key = responseKey(this.#namespace, partition, request)
    const encoded = encodeResponse({ ...response, key })
    const value = this.#sealing ? sealResponse(partition.key, key, encoded) : encoded
    if (value.length > this.#store.maxValueBytes) return false
    return (await passBy(this.#store.set(key, value, { ttl }).then(() => true))) ?? false
  }

  /** RFC 9111 section 4.4: what was stored for GET of the same target is no longer good. */
  async forget(partition: Partition, { url }: Request): Promise<void> {
    await passBy(this.#store.delete(responseKey(this.#namespace, partition, new Request(url))))
  }
}

/** A cache is optional (RFC 9111 section 2). */
async function passBy<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation
  } catch {
    return undefined
  }
}
