import { setMany } from '../../stores/many-keys.ts'
import type { Store } from '../../stores/store.ts'
import type { Tag, TagKeys } from './tag.ts'
import { agedVersion, isLost, newVersion, versionIn, versionText } from './tag-version.ts'

/** Seconds: after it, what hangs on a tag is fetched anew once. */
const lifetime = 30 * 86_400

/** Beyond, a tag that others keep changing is invalidated instead of made stale. */
const mostAttempts = 10

/** Gives tags their versions. All operations reject as the store does. */
export class TagWriter {
  readonly #store: Store
  readonly #keys: TagKeys
  /** By key, while they are. */
  readonly #begun = new Map<string, Promise<string>>()

  constructor(store: Store, keys: TagKeys) {
    this.#store = store
    this.#keys = keys
  }

  /** Gives a tag its first version; somebody else's is as good, as nothing has been sent yet. */
  async begin(one: Tag): Promise<string> {
    const key = this.#keys.of(one)
    if (this.#store.reach === 'process') return this.#beginHere(one, key)
    const version = newVersion()
    const written = await this.#store.compareAndSwap(key, undefined, version, { ttl: ttlOf(one) })
    const found =
      written === undefined ? versionIn(await this.#store.get(key)) : versionText(version)
    if (found !== undefined && !isLost(found)) return found
    const [renewed] = (await this.renew([one])).values()
    return renewed!
  }

  /**
   * Memory never drops what came by a comparison, and there are as many tags as users; it may drop
   * what was set. Nobody but this process begins it there.
   */
  #beginHere(one: Tag, key: string): Promise<string> {
    const begin = async () => {
      const found = versionIn(await this.#store.get(key))
      if (found !== undefined && !isLost(found)) return found
      const version = newVersion()
      await this.#store.set(key, version, { ttl: ttlOf(one) })
      return versionText(version)
    }
    let begun = this.#begun.get(key)
    if (!begun) {
      begun = begin().finally(() => this.#begun.delete(key))
      this.#begun.set(key, begun)
    }
    return begun
  }

  /** Gives tags new versions, and tells them by key. */
  async renew(tags: readonly Tag[]): Promise<Map<string, string>> {
    const entries = tags.map((one) => ({
      key: this.#keys.of(one),
      value: newVersion(),
      ttl: ttlOf(one),
    }))
    for (const ttl of new Set(entries.map((entry) => entry.ttl))) {
      const some = entries.filter((entry) => entry.ttl === ttl)
      const pairs = some.map(({ key, value }) => [key, value] as const)
      await setMany(this.#store, pairs, { ttl })
    }
    return new Map(entries.map(({ key, value }) => [key, versionText(value)]))
  }

  /** Makes stale what hangs on a tag. */
  async age(one: Tag): Promise<void> {
    const key = this.#keys.of(one)
    for (let attempts = 0; attempts < mostAttempts; attempts += 1) {
      const found = await this.#store.get(key)
      // What hung on it is lost already.
      if (!found || isLost(versionIn(found))) return
      const next = agedVersion(found.value)
      const ttl = ttlOf(one)
      if (await this.#store.compareAndSwap(key, found.version, next, { ttl })) return
    }
    await this.renew([one])
  }
}

/** Were the namespace's to end, everything would be fetched anew at the same moment, once a month. */
function ttlOf({ kind, partition }: Tag): number | undefined {
  return kind === 'all' && partition === undefined ? undefined : lifetime
}
