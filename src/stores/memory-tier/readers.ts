/** A read that is under way; `isOutdated` once what it finds must not be kept. */
export interface Reader {
  isOutdated: boolean
}

/** Reads under way, by key: what is dropped meanwhile must not come back with what they find. */
export class Readers {
  readonly #byKey = new Map<string, Set<Reader>>()

  begin(key: string): Reader {
    const reader: Reader = { isOutdated: false }
    const readers = this.#byKey.get(key)
    if (readers) readers.add(reader)
    else this.#byKey.set(key, new Set([reader]))
    return reader
  }

  end(key: string, reader: Reader): void {
    const readers = this.#byKey.get(key)
    readers?.delete(reader)
    if (readers?.size === 0) this.#byKey.delete(key)
  }

  drop(key: string): void {
    for (const reader of this.#byKey.get(key) ?? []) reader.isOutdated = true
  }

  dropAll(prefix: string): void {
    for (const key of this.#byKey.keys()) if (key.startsWith(prefix)) this.drop(key)
  }
}
