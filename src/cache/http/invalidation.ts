import type { Fields } from './received.ts'
import { parsedUrl } from '../../parsed-url.ts'

/** RFC 9110 section 9.2.1: methods that change nothing. */
const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** May a request have changed what is stored? */
export function isUnsafe(method: string): boolean {
  return !safe.has(method)
}

/** RFC 9111 section 4.4: an answer that is no error. */
export function mayHaveChanged({ status }: { readonly status: number }): boolean {
  return status >= 200 && status < 400
}

/**
 * The URLs whose stored responses an unsafe request spoils (section 4.4): its own, and those of
 * Location and Content-Location where they are of the same origin. Without a reply, its own.
 */
export function spoiledUrls(url: string, reply?: { readonly headers: Fields }): string[] {
  const { origin, href } = new URL(url)
  const also = ['location', 'content-location'].flatMap((name) => {
    const target = reply?.headers.get(name)
    const resolved = target ? parsedUrl(target, href) : undefined
    return resolved?.origin === origin ? [resolved.href] : []
  })
  return [...new Set([href, ...also].map(withoutFragment))]
}

/** As it goes over the network. */
export function withoutFragment(url: string): string {
  const at = url.indexOf('#')
  return at < 0 ? url : url.slice(0, at)
}
