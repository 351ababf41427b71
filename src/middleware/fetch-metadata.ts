import { CrossSiteRequestError } from '../errors.ts'

/** Reads one header of a request, whatever carries it. */
export type HeaderReader = (name: string) => string | undefined

/** A navigation of the browser's own window: only that can be sent to a login page and back. */
export function isNavigation(header: HeaderReader): boolean {
  if (isPrefetch(header)) return false
  const mode = header('sec-fetch-mode')
  if (mode !== undefined) return mode === 'navigate' && header('sec-fetch-dest') === 'document'
  return /\btext\/html\b/.test(header('accept') ?? '')
}

/** A page fetched in case it is wanted; it must have no effect. */
export function isPrefetch(header: HeaderReader): boolean {
  const purpose = `${header('sec-purpose') ?? ''} ${header('purpose') ?? ''} ${header('x-moz') ?? ''}`
  const next = header('next-router-prefetch') !== undefined || header('rsc') !== undefined
  return next || /\bprefetch\b/.test(purpose)
}

/**
 * Throws unless the request proves that it comes from a page of the app: by Sec-Fetch-Site, by
 * Origin in browsers that do not send it.
 */
export function requireSameOrigin(header: HeaderReader, origins: readonly string[]): void {
  const site = header('sec-fetch-site')
  if (site === 'same-origin') return
  const origin = header('origin')
  if (site === undefined && origin !== undefined && origins.includes(origin)) return
  throw new CrossSiteRequestError()
}
