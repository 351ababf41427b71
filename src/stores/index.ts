export { cacheManager } from './cache-manager.ts'
export type { CacheManager, CacheManagerOptions, Serializer } from './cache-manager.ts'
export { backends, createStore } from './create-store.ts'
export type { SetOptions, Store, StoredValue } from './store.ts'
