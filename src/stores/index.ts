export { backends, createStore } from './create-store.ts'
export type { SetOptions, Store, StoredValue } from './store.ts'
