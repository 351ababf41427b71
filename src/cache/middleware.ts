import type { ResponseCacheOptions } from './response-cache-options.ts'
import { ResponseCache } from './response-cache.ts'

/**
 * A response cache. Called as Express middleware it puts itself on `req.responseCache`, from where
 * the calls of that request use it; elsewhere it is the option `cache` of `behalf()`.
 */
export interface ResponseCacheMiddleware {
  (req: object, res: unknown, next: () => void): void
  readonly engine: ResponseCache
}

/**
 * Makes a response cache: replies of upstream APIs are kept per user and reused while a rule says
 * that they are fresh. Throws a `ConfigError` for a rule that cannot be read.
 */
export function responseCache(options: ResponseCacheOptions = {}): ResponseCacheMiddleware {
  const engine = new ResponseCache(options)
  const middleware = (req: object, _res: unknown, next: () => void): void => {
    Object.assign(req, { responseCache: engine })
    next()
  }
  return Object.assign(middleware, { engine })
}
