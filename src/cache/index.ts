export type { CacheEntry } from './cache-entry.ts'
export type { CacheEvent, CacheEventFields } from './cache-events.ts'
export type { CacheSelection } from './cache-selection.ts'
export type { CacheStats } from './cache-stats.ts'
export {
  cachedFetch,
  type CachedFetch,
  type CachedFetchOptions,
  type CachePartition,
} from './cached-fetch.ts'
export type { Explanation } from './explanation.ts'
export type { CachedFetchInit } from './fetch-arguments.ts'
export { responseCache, type ResponseCacheMiddleware } from './middleware.ts'
export type { CachePolicy } from './policy.ts'
export type { CacheMode } from './request.ts'
export type { ResponseCache } from './response-cache.ts'
export type { ResponseCacheOptions } from './response-cache-options.ts'
export type { CacheRule, CacheRules } from './rules.ts'
export type { MemoryTierOptions } from '../stores/memory-tier.ts'
export type { BatchOptions } from './repositories/batch-rule.ts'
export { cachedResponse, type CachedResponseInit } from './repositories/cached-response.ts'
export { json, type PayloadHandler, text } from './repositories/payload.ts'
export type { Repositories } from './repositories/repositories.ts'
export type { KeyInput } from './repositories/repository-key.ts'
export type { RepositoryOptions } from './repositories/repository-rule.ts'
export type { Repository, RepositoryEntry } from './repositories/repository.ts'
