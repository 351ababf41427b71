/** The directives of a Cache-Control header; one without a value is `true`. */
export type Directives = ReadonlyMap<string, string | true>

/**
 * Parses Cache-Control (RFC 9111 section 5.2). Never throws. Names are case-insensitive, commas
 * within quotes belong to the value, and a directive given twice with different values is kept as
 * `''`, which no reader takes for a number (section 4.2.1: conflicting means stale).
 */
export function parseCacheControl(header: string | null): Directives {
  const directives = new Map<string, string | true>()
  for (const [, name, quoted, token] of (header ?? '').matchAll(directive)) {
    const key = name!.toLowerCase()
    const value = quoted ?? token ?? true
    const former = directives.get(key)
    directives.set(key, former === undefined || former === value ? value : '')
  }
  return directives
}

/** A name, then perhaps a quoted string or a token; whatever else stands between is passed over. */
const directive = /([!#$%&'*+.^_`|~\w-]+)(?:=(?:"([^"]*)"?|([^\s,;"]*)))?/g

/** A number of seconds (section 1.2.2); `undefined` where there is none, 0 where it is malformed. */
export function deltaSeconds(directives: Directives, name: string): number | undefined {
  const value = directives.get(name)
  if (value === undefined) return undefined
  return typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : 0
}
