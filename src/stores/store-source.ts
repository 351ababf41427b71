import { hash } from 'node:crypto'
import { processState } from '../process-state.ts'

const sources = processState('store sources', () => new WeakMap<object, string>())

/** Notes which URL a store was made of, so that two of the same can be told from two different ones. */
export function noteSource<T extends object>(store: T, url: string | URL): T {
  sources.set(store, hash('sha256', String(url), 'hex'))
  return store
}

/** A hash of the URL that a store was made of; `undefined` where it was made in another way. */
export function sourceOf(store: object): string | undefined {
  return sources.get(store)
}
