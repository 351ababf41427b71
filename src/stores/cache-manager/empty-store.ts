import type { Store } from '../store.ts'
import { newVersion } from '../version.ts'

/** A store in which nothing stays: what a cache that is switched off keeps its values in. */
export const emptyStore: Store = {
  reach: 'process',
  durable: false,
  maxValueBytes: Number.MAX_SAFE_INTEGER,
  get: async () => undefined,
  set: async () => {},
  delete: async () => false,
  compareAndSwap: async (_key, version) => (version === undefined ? newVersion() : undefined),
  compareAndDelete: async () => false,
  async *keys() {},
  clear: async () => {},
  increment: async (_key, by) => by,
  ttl: async () => undefined,
  expire: async () => false,
  close: async () => {},
}
