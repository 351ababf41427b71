import { polyfilledPattern } from './polyfilled-pattern.ts'

/** A URLPattern, as far as it is used. */
export interface UrlPattern {
  test(url: string): boolean
  /** `null` for what does not match. */
  exec(url: string): { pathname: { groups: Readonly<Record<string, string | undefined>> } } | null
}

/** A pathname pattern, or one of a whole URL; `undefined` when it cannot be read. */
export function urlPattern(match: string): UrlPattern | undefined {
  try {
    return polyfilledPattern(match)
  } catch {
    return undefined
  }
}
