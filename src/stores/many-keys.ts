import type { SetOptions, Store, StoredValue } from './store.ts'

/** How many calls are made at a time where a store has no operation for many. */
const atATime = 32

/** What is under many keys, in their order, over any store. */
export async function getMany(
  store: Store,
  keys: readonly string[],
): Promise<Array<StoredValue | undefined>> {
  return store.getMany ? store.getMany(keys) : each(keys, (key) => store.get(key))
}

/** Writes many entries over any store; when it fails, some may have been written. */
export async function setMany(
  store: Store,
  entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
  options?: SetOptions,
): Promise<void> {
  if (store.setMany) return store.setMany(entries, options)
  // In order, because the last one of equal keys stays.
  const last = new Map(entries)
  await each([...last], ([key, value]) => store.set(key, value, options))
}

/** Deletes many over any store and tells how many there were. */
export async function deleteMany(store: Store, keys: readonly string[]): Promise<number> {
  if (store.deleteMany) return store.deleteMany(keys)
  const deleted = await each([...new Set(keys)], (key) => store.delete(key))
  return deleted.filter(Boolean).length
}

/** Runs `call` for each item, a few at a time, and gives the results in the items' order. */
export async function each<Item, Result>(
  items: readonly Item[],
  call: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (let at = 0; at < items.length; at += atATime) {
    results.push(...(await Promise.all(items.slice(at, at + atATime).map((item) => call(item)))))
  }
  return results
}
