export {
  cachedFetch,
  type CachedFetch,
  type CachedFetchInit,
  type CachedFetchOptions,
} from './cached-fetch.ts'
export { responseCache, type ResponseCacheMiddleware } from './middleware.ts'
export type { CachePolicy } from './policy.ts'
export type { CacheMode } from './request.ts'
export type { CacheStats, ResponseCache } from './response-cache.ts'
export type { ResponseCacheOptions } from './response-cache-options.ts'
export type { CacheRule, CacheRules } from './rules.ts'
