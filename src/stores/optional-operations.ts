import type { Store } from './store.ts'

/** The operations that only some stores have. */
export type OptionalOperation =
  | 'keys'
  | 'clear'
  | 'getMany'
  | 'atHand'
  | 'setMany'
  | 'deleteMany'
  | 'increment'
  | 'ttl'
  | 'expire'
  | 'notices'

type Bound = { [Name in OptionalOperation]: Store[Name] | undefined }

/** Those that `store` has, as functions that can be passed on. */
export function bound(store: Store): Bound {
  return {
    keys: store.keys?.bind(store),
    clear: store.clear?.bind(store),
    getMany: store.getMany?.bind(store),
    atHand: store.atHand?.bind(store),
    setMany: store.setMany?.bind(store),
    deleteMany: store.deleteMany?.bind(store),
    increment: store.increment?.bind(store),
    ttl: store.ttl?.bind(store),
    expire: store.expire?.bind(store),
    notices: store.notices?.bind(store),
  }
}
