import { ConfigError } from '../errors.ts'
import type { SetOptions } from './store.ts'

const maxKeyBytes = 1024
/** What nearly all keys are, told apart in a fraction of the time. */
// Stryker disable next-line Regex: keys that it does not match take the longer way, to the same answer
const plainKey = /^[\x20-\x7e]{1,1024}$/

/**
 * Checks what every operation of a store is handed: throws a `RangeError` for a key that is not
 * text of 1 to 1,024 bytes, or that backends would fold or cut (NUL, lone surrogates).
 */
export function checkKey(key: string): void {
  if (isKey(key)) return
  throw new RangeError('A key must be well-formed text of 1 to 1,024 bytes without NUL.')
}

function isUnicodeKey(key: string): boolean {
  return /^[^\0\p{Surrogate}]+$/u.test(key) && Buffer.byteLength(key) <= maxKeyBytes
}

/** Tells whether {@link checkKey} takes it. */
export function isKey(key: string): boolean {
  return typeof key === 'string' && (plainKey.test(key) || isUnicodeKey(key))
}

/** Throws a `RangeError` for what no key can begin with; the empty prefix is one. */
export function checkPrefix(prefix: string): void {
  if (prefix !== '') checkKey(prefix)
}

/** Throws a `RangeError` for a value of more than `maxValueBytes` bytes, or that is no bytes. */
export function checkValue(value: Uint8Array, maxValueBytes: number): void {
  if (!(value instanceof Uint8Array)) throw new RangeError('A value must be a Uint8Array.')
  if (value.byteLength <= maxValueBytes) return
  throw new RangeError(
    `The value has ${value.byteLength} bytes; this store takes up to ${maxValueBytes}.`,
  )
}

/**
 * Gives the milliseconds a value lives: `Infinity` without a ttl, 0 when nothing is to be stored.
 * Throws a `RangeError` for a `ttl` (in seconds) that is no number.
 */
export function lifetime(ttl: number | undefined): number {
  if (ttl === undefined) return Infinity
  if (typeof ttl !== 'number' || Number.isNaN(ttl)) {
    throw new RangeError('ttl must be a number of seconds.')
  }
  return Math.max(0, ttl * 1000)
}

/**
 * Checks what a write is handed, and copies the bytes: the caller may change them while a driver
 * connects or reads them later.
 */
export function checkedWrite(
  key: string,
  value: Uint8Array,
  options: SetOptions | undefined,
  maxValueBytes: number,
): { copy: Uint8Array; lives: number } {
  checkKey(key)
  checkValue(value, maxValueBytes)
  return { copy: new Uint8Array(value), lives: lifetime(options?.ttl) }
}

/** Throws a `RangeError` for an amount that {@link Store.increment} cannot add. */
export function checkAmount(by: number): void {
  if (!Number.isSafeInteger(by)) throw new RangeError('A counter moves by a safe integer.')
}

/** Throws a `RangeError` for what names no channel of {@link Notices}. */
export function checkChannel(channel: string): string {
  if (/^[a-z0-9_-]{1,64}$/.test(channel)) return channel
  throw new RangeError('A channel must have 1 to 64 of a-z, 0-9, _ and -.')
}

/**
 * Throws a `ConfigError` for what names no table, collection or namespace (ST-04): names become
 * part of statements, keys and paths, so that all backends take the same few characters.
 */
export function checkName(option: string, name: string): string {
  if (typeof name === 'string' && /^(?!sqlite_|pg_)[a-z_][a-z0-9_]{0,62}$/i.test(name)) return name
  throw new ConfigError(
    `${option} must be of letters, digits and '_', begin with no digit and not with sqlite_ or ` +
      'pg_, and have at most 63 characters.',
  )
}

/** Throws a `ConfigError` for what cannot be the first part of every key. */
export function checkNamespace(option: string, namespace: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,31}$/.test(namespace)) return namespace
  throw new ConfigError(
    `${option} must have 1 to 32 of a-z, 0-9, _ and -, and begin with a letter or a digit.`,
  )
}

/** The longest that Node's timers wait. */
const longestSeconds = 2_147_483

/**
 * Throws a `ConfigError` for what is no duration of zero or more seconds; what is longer than timers
 * wait (24 days) is that.
 */
export function checkSeconds(option: string, seconds: number): number {
  if (Number.isFinite(seconds) && seconds >= 0) return Math.min(seconds, longestSeconds)
  throw new ConfigError(`${option} must be a number of seconds.`)
}

/** Throws a `ConfigError` for what is no positive integer. */
export function checkCount(option: string, count: number): number {
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new ConfigError(`${option} must be a positive integer.`)
}

/** Throws a `ConfigError` for what is no store, such as the URL of one. */
export function checkStore<T extends object>(who: string, store: T): T {
  const { get, compareAndSwap } = (store ?? {}) as { get?: unknown; compareAndSwap?: unknown }
  if (typeof get === 'function' && typeof compareAndSwap === 'function') return store
  throw new ConfigError(`${who} needs a store, as createStore(url) makes one.`)
}
