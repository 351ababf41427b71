import { ConfigError, OriginNotAllowedError } from '../errors.ts'
import type { Provider } from './provider.ts'
import { parsedUrl } from '../parsed-url.ts'

const absolute = /^[a-z][a-z0-9+.-]*:/i
/** C0 controls, space and backslash: what URL parsers drop or turn into something else. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const unsafe = /[\x00-\x20\x7f\\]/

/**
 * The URL that a call goes to: a path is resolved against `apiBaseUrl`, an absolute URL must be of
 * the provider's `apiOrigins`. A path that climbs (`..`, also percent-encoded) is refused, because
 * an id in it would reach another endpoint (CVE-2023-23608).
 */
export function resourceUrl(provider: Provider, target: string): URL {
  const refuse = (what: string) => new OriginNotAllowedError(provider.name, what)
  if (unsafe.test(target))
    throw refuse('its URL contains control characters, spaces or backslashes')
  if (target.startsWith('//')) throw refuse('its path begins with //')
  if (climbs(target)) throw refuse('its path contains . or .. segments')
  const isAbsolute = absolute.test(target)
  if (!isAbsolute && !provider.apiBaseUrl) {
    throw new ConfigError(`providers.${provider.name}: paths need apiBaseUrl; set it.`)
  }
  const base = isAbsolute ? undefined : provider.apiBaseUrl?.href
  const url = parsedUrl(target, base)
  if (!url) throw refuse('its URL cannot be parsed')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('its URL is not http')
  if (url.username || url.password) throw refuse('its URL contains credentials')
  if (!provider.apiOrigins.includes(url.origin)) throw refuse(`${url.origin} is not one of them`)
  url.hash = ''
  return url
}

function climbs(target: string): boolean {
  const path = target.split(/[?#]/, 1)[0]!
  return path.split('/').some((segment) => {
    const plain = segment.replaceAll(/%2e/gi, '.').replaceAll(/%2f|%5c/gi, '/')
    return plain.split('/').some((part) => part === '.' || part === '..')
  })
}
