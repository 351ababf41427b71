// In a file of its own: the polyfill's types would clash with those of an app that has the DOM's.
import 'urlpattern-polyfill'

/** A URLPattern, as far as it is used. */
export interface UrlPattern {
  test(url: string): boolean
  /** `null` for what does not match. */
  exec(url: string): { pathname: { groups: Readonly<Record<string, string | undefined>> } } | null
}

/** A pathname pattern, or one of a whole URL; `undefined` when it cannot be read. */
export function urlPattern(match: string): UrlPattern | undefined {
  try {
    return match.startsWith('/') ? new URLPattern({ pathname: match }) : new URLPattern(match)
  } catch {
    return undefined
  }
}
