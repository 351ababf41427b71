import { Recent } from '../../recent.ts'

/** The directives of a Cache-Control header; one without a value is `true`. */
export type Directives = ReadonlyMap<string, string | true>

/**
 * Parses Cache-Control (RFC 9111 section 5.2). Never throws. Names are case-insensitive, commas
 * within quotes belong to the value, and a directive given twice with different values is kept as
 * `''`, which no reader takes for a number (section 4.2.1: conflicting means stale). A quote that
 * never ends hides nothing: what follows it is read as directives.
 */
export function parseCacheControl(header: string | null): Directives {
  if (header === null || header === '') return none
  if (header.length > longestKnown) return parsed(header)
  return known.getOrMake(header, () => parsed(header))
}

/** An API sends the same few over and over. */
const known = new Recent<Directives>(200)
const longestKnown = 200

function parsed(header: string): Directives {
  const directives = new Map<string, string | true>()
  for (const [, name, quoted, token] of header.matchAll(directive)) {
    const key = name!.toLowerCase()
    const value = quoted ?? token ?? true
    const former = directives.get(key)
    directives.set(key, former === undefined || former === value ? value : '')
  }
  return directives
}

const none: Directives = new Map()

/** A name, then perhaps a quoted string or a token; whatever else stands between is passed over. */
const directive = /([!#$%&'*+.^_`|~\w-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g

/** Section 1.2.2: what does not fit stands for "a very long time". */
const longest = 2 ** 31

/** A number of seconds (section 1.2.2); `undefined` where there is none, 0 where it is malformed. */
export function deltaSeconds(directives: Directives, name: string): number | undefined {
  const value = directives.get(name)
  if (value === undefined) return undefined
  return typeof value === 'string' && isDigits.test(value) ? Math.min(Number(value), longest) : 0
}

const isDigits = /^\d+$/

/** Tells a plain 0 from a value that is no number, or two. */
export function isPlainZero(value: string | true | undefined): boolean {
  return typeof value === 'string' && /^0+$/.test(value)
}

/**
 * The fields that `no-cache` or `private` is limited to (sections 5.2.2.4 and 5.2.2.7), in lower
 * case; `undefined` where it is about the whole reply, which is how a list that cannot be read counts.
 */
export function limitedTo(directives: Directives, name: string): string[] | undefined {
  const value = directives.get(name)
  if (typeof value !== 'string') return undefined
  const names = value
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
  return names.every((one) => fieldName.test(one)) ? names : undefined
}

const fieldName = /^[!#$%&'*+.^_`|~\w-]+$/
