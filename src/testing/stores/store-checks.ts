import assert from 'node:assert/strict'
import type { OptionalOperation } from '../../stores/optional-operations.ts'
import type { Store } from '../../stores/store.ts'

/** Looks at one thing that every store does; rejects with an `AssertionError` where it does not. */
export type StoreCheck = (store: Store, key: MakeKey) => Promise<void>

/** Gives a key of the running case; the same one for the same name. */
export type MakeKey = (name?: string) => string

/** The checks of one subject by their titles. */
export type StoreChecks = Readonly<Record<string, StoreCheck>>

/**
 * Lifetimes in seconds, each tried when the store was too slow to do something within the one before.
 */
export const patience: readonly number[] = [0.4, 0.8, 1.6, 3.2, 6.4]

/** UTF-8. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Asserts that there is nothing under `key`. */
export async function isAbsent(store: Store, key: string): Promise<void> {
  assert.equal(await store.get(key), undefined)
}

/** Asserts that `value` is under `key`, and its version where that is known. */
export async function holds(
  store: Store,
  key: string,
  value: Uint8Array,
  version?: string,
): Promise<void> {
  const found = await store.get(key)
  assert.notEqual(found, undefined)
  assert.equal(Buffer.from(found?.value ?? []).equals(value), true, 'another value was read back')
  if (version !== undefined) assert.equal(found?.version, version)
}

/** The version of what must be under `key`. */
export async function versionOf(store: Store, key: string): Promise<string> {
  const found = await store.get(key)
  assert.equal(typeof found?.version, 'string')
  return found?.version ?? ''
}

/** Asserts that one of many writers of `caller <index>` got a version, and that its value stayed. */
export async function oneWins(
  store: Store,
  key: string,
  results: ReadonlyArray<string | undefined>,
): Promise<void> {
  const winners = results.flatMap((version, index) => (version ? [{ version, index }] : []))
  assert.equal(winners.length, 1)
  const [winner] = winners
  await holds(store, key, bytes(`caller ${winner?.index}`), winner?.version)
}

/**
 * Checks of one of the operations that a store may have; a store that does not have it passes.
 * Each may call the others too that it looks for itself.
 */
export function checksOf(
  operation: OptionalOperation,
  checks: Readonly<Record<string, (store: Required<Store>, key: MakeKey) => Promise<void>>>,
): StoreChecks {
  return Object.fromEntries(
    Object.entries(checks).map(([title, check]) => [
      title,
      async (store: Store, key: MakeKey) => {
        if (store[operation]) await check(store as Required<Store>, key)
      },
    ]),
  )
}
