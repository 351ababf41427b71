// In a file of its own, which no public type leads to: the polyfill's types would clash with those of an
// app that has the DOM's.
import 'urlpattern-polyfill'

/** A pathname pattern, or one of a whole URL. Throws for what is none. */
export function polyfilledPattern(match: string) {
  return match.startsWith('/') ? new URLPattern({ pathname: match }) : new URLPattern(match)
}
