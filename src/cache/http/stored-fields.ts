import { limitedTo } from './cache-control.ts'
import type { CacheKind, Fields, Received } from './received.ts'

/** A field's name, in lower case, and its value. */
export type Field = readonly [name: string, value: string]

/**
 * RFC 9111 section 3.1: hop-by-hop fields and those of proxies; beyond it what opens doors, and what
 * is made anew for each use.
 */
const neverStored = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'set-cookie',
  'set-cookie2',
  'authorization',
  'www-authenticate',
  'age',
  'cache-status',
])

/** What `fetch` has undone by the time the body is read; others it leaves as they are. */
const decoded = new Set(['gzip', 'x-gzip', 'deflate', 'br'])

/** Section 3.2: what describes the stored body stays as long as that does, and so does its validator. */
const ofTheBody = new Set([
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'etag',
])

/** The fields of a reply that may be stored. */
export function storableFields({ headers, directives }: Received, kind: CacheKind): Field[] {
  const named = listed(headers.get('connection'))
  const kept = limitedTo(directives, 'no-cache') ?? []
  const own = kind === 'shared' ? (limitedTo(directives, 'private') ?? []) : []
  const dropped = new Set([...named, ...kept, ...own, ...encodingFields(headers)])
  return [...headers].filter(([name]) => !neverStored.has(name) && !dropped.has(name))
}

/** The stored fields as a 304, or a reply to HEAD, leaves them (section 3.2). */
export function freshenedFields(stored: readonly Field[], fresh: readonly Field[]): Field[] {
  const updates = fresh.filter(([name]) => !ofTheBody.has(name))
  const updated = new Set(updates.map(([name]) => name))
  return [...stored.filter(([name]) => !updated.has(name)), ...updates]
}

/** A body that was decoded has neither its encoding nor its length any more. */
function encodingFields(headers: Fields): string[] {
  return isDecoded(headers) ? ['content-encoding', 'content-length'] : []
}

/** Has `fetch` decoded the body? */
export function isDecoded(headers: Fields): boolean {
  const codings = listed(headers.get('content-encoding'))
  return codings.length > 0 && codings.every((coding) => decoded.has(coding))
}

function listed(value: string | null): string[] {
  if (value === null) return []
  return value
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
}

/**
 * Fields as they are stored, or as `Headers` lists them, read once; of one that stands several times,
 * all values. A reply is asked for a dozen, and `Headers` checks each letter of a name each time.
 * Names are asked for in lower case.
 */
export class ReadFields implements Fields {
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
