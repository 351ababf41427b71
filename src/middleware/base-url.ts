import { ConfigError } from '../errors.ts'
import { isLoopback } from '../oauth/provider.ts'
import { parsedUrl } from '../parsed-url.ts'

/** The app's public origins, checked; none for a worker. Throws a `ConfigError`. */
export function originsOf(baseUrl: string | readonly string[] | undefined): string[] {
  if (baseUrl === undefined || baseUrl === '') return []
  const origins = (typeof baseUrl === 'string' ? [baseUrl] : baseUrl).map(originOf)
  if (new Set(origins.map((origin) => new URL(origin).protocol)).size > 1) {
    throw new ConfigError('baseUrl must not mix http and https: their cookies differ.')
  }
  return origins
}

/** May the app make do with a secret and a store of its own? Not where others can reach it. */
export function isDevelopment(origins: readonly string[]): boolean {
  const isLocal = origins.every((origin) => isLoopback(new URL(origin)))
  return isLocal && process.env['NODE_ENV'] !== 'production'
}

function originOf(text: string): string {
  const url = parsedUrl(text)
  if (!url) {
    throw new ConfigError(
      `baseUrl '${text}' is not a URL; it is something like https://app.example.com`,
    )
  }
  if (url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
    throw new ConfigError(`baseUrl must be an origin and nothing more: ${url.origin}`)
  }
  if (url.protocol !== 'https:') checkPlainHttp(url)
  return url.origin
}

/** Plain http is for development on this very machine. */
function checkPlainHttp(url: URL): void {
  if (url.protocol !== 'http:') throw new ConfigError('baseUrl must be an http or https URL.')
  if (!isLoopback(url)) {
    throw new ConfigError(
      `baseUrl ${url.origin} must be https; plain http is possible for 127.0.0.1, [::1] and localhost only.`,
    )
  }
  if (process.env['NODE_ENV'] === 'production') {
    throw new ConfigError(
      'baseUrl must be https in production. To try the app on this machine, run it without NODE_ENV=production (Next.js: next dev, not next start).',
    )
  }
}
