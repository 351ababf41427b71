import type { HeaderReader } from './fetch-metadata.ts'
import { parsedUrl } from '../parsed-url.ts'

/**
 * A web-standard request's URL as the browser sees it. The scheme is the app's own: behind a proxy the
 * request's is not the browser's. The host is whichever of X-Forwarded-Host, Host and the URL's is one
 * of the app's; where none is, it stays as it was asked for, because a login there first moves to the
 * app's. (Next.js says `localhost` in every URL, whatever host was asked for.)
 */
export function publicUrl(origins: readonly string[], given: string, header: HeaderReader): URL {
  const url = new URL(given)
  const [home] = origins
  if (home === undefined) return url
  const { protocol } = new URL(home)
  const at = (host: string | undefined) => {
    return host === undefined ? undefined : parsedUrl(`${protocol}//${host}`)?.origin
  }
  const forwarded = at(header('x-forwarded-host')?.split(',', 1)[0]?.trim())
  const direct = at(header('host')) ?? at(url.host)!
  // X-Forwarded-Host can be anybody's: it only ever chooses among the app's own.
  const asked = [forwarded, direct].find((origin) => origin && origins.includes(origin))
  return new URL(`${asked ?? direct}${url.pathname}${url.search}`)
}
