export { responseCache, type ResponseCacheMiddleware } from './middleware.ts'
export type { CacheMode } from './request.ts'
export type { CacheStats, ResponseCache, ResponseCacheOptions } from './response-cache.ts'
export type { CacheRule, CacheRules } from './rules.ts'
