import type { Store } from './store.ts'

/**
 * Whether what a store is given stays in this process' memory. `reach` alone does not say so: that of a
 * `Keyv`, or of a store of the app's own, is this process because of its comparisons, and its values
 * may lie anywhere.
 */
export function isInMemory(store: Store): boolean {
  return store.reach === 'process' && store.atHand !== undefined
}
