// In a file of its own: the polyfill's types would clash with those of an app that has the DOM's.
import 'urlpattern-polyfill'

/** A pathname pattern, or one of a whole URL; `undefined` when it cannot be read. */
export function urlPattern(match: string): { test(url: string): boolean } | undefined {
  try {
    return match.startsWith('/') ? new URLPattern({ pathname: match }) : new URLPattern(match)
  } catch {
    return undefined
  }
}
