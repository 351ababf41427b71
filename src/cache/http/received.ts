import { type Directives, parseCacheControl } from './cache-control.ts'
import type { Field } from './stored-fields.ts'

/** Header fields as they are read, never changed. */
export type Fields = Pick<Headers, 'get' | 'has'>

/** The fields of a request that has none. */
export const noHeaders: Fields = { get: () => null, has: () => false }

/** RFC 9111's two kinds of cache: one user's, or of many. */
export type CacheKind = 'private' | 'shared'

/** A reply as the decisions see it. */
export interface Received {
  readonly status: number
  readonly headers: ReplyFields
  readonly directives: Directives
  /** When its request was sent, epoch ms. */
  readonly requestedAt: number
  /** When it came, epoch ms. */
  readonly receivedAt: number
}

/**
 * The fields of a reply, read once: a dozen are asked for, and `Headers` checks each letter of a name
 * each time. Names are asked for in lower case.
 */
class ReplyFields implements Fields {
  readonly #values = new Map<string, string>()

  constructor(fields: Iterable<Field>) {
    for (const [name, value] of fields) {
      const former = this.#values.get(name)
      this.#values.set(name, former === undefined ? value : `${former}, ${value}`)
    }
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  get(name: string): string | null {
    return this.#values.get(name) ?? null
  }

  [Symbol.iterator](): Iterator<Field> {
    return this.#values.entries()
  }
}

/** Makes a reply ready for the decisions. */
export function received(
  reply: { readonly status: number; readonly headers: Iterable<Field> },
  requestedAt: number,
  receivedAt: number,
): Received {
  const { status } = reply
  const headers = new ReplyFields(reply.headers)
  const directives = parseCacheControl(headers.get('cache-control'))
  return { status, headers, directives, requestedAt, receivedAt }
}
