/**
 * Makes one list, without repetitions, of scopes given as a list or as text with commas or spaces.
 * (On the wire they are separated by spaces: RFC 6749 section 3.3.)
 */
export function normalizeScope(scope: string | readonly string[] | undefined): string[] {
  const parts = typeof scope === 'string' ? [scope] : (scope ?? [])
  return [...new Set(parts.flatMap((part) => part.split(/[\s,]+/)).filter(Boolean))]
}

/** The scopes of `wanted` that were not granted. */
export function missingScope(granted: readonly string[], wanted: readonly string[]): string[] {
  return wanted.filter((scope) => !granted.includes(scope))
}
