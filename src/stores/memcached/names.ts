import { createHash } from 'node:crypto'

/** Where a key is kept. */
export interface MemcachedPlace {
  key: string
  /** What the servers call it. */
  name: string
  /** The part up to and including the first colon, which can be cleared; empty without a colon. */
  segment: string
}

/** memcached takes names of 250 bytes; what is not printable ASCII it would cut or refuse. */
const longestName = 250
const plain = /^[\x21-\x7e]+$/

/**
 * Names everything of one namespace. A key that memcached can take stays readable, any other is
 * hashed; what follows the namespace (`:`, `#`, `@`) keeps these, and other namespaces, apart.
 */
export class MemcachedNames {
  readonly #namespace: string

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  place(key: string): MemcachedPlace {
    const name = `${this.#namespace}:${key}`
    const fits = name.length <= longestName && plain.test(key)
    return {
      key,
      name: fits ? name : `${this.#namespace}#${hashOf(key)}`,
      segment: key.slice(0, key.indexOf(':') + 1),
    }
  }

  /** Of the entry that says which generation of a segment is valid; `''` is the whole namespace. */
  generation(segment: string): string {
    const name = `${this.#namespace}@${segment}`
    if (segment === '' || (name.length <= longestName && plain.test(segment))) return name
    // A segment ends with a colon, which no hash does.
    return `${this.#namespace}@${hashOf(segment)}`
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
