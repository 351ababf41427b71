import { ConfigError } from '../../errors.ts'

/** The part of a `Keyv` (5.5 or later) that behalf calls. */
export interface KeyvClient {
  getRaw(key: string): Promise<{ value?: unknown } | undefined>
  set(key: string, value: string, ttl?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  on(event: string, listener: (error: unknown) => void): unknown
  off(event: string, listener: (error: unknown) => void): unknown
  namespace?: string | undefined
  /** In Keyv 5 there where the adapter can list its keys, in Keyv 6 always. */
  iterator?: ((namespace?: string) => AsyncIterable<unknown>) | undefined
  store?: unknown
  opts?: { emitErrors?: boolean | undefined } | undefined
}

/** Tells whether `value` is a `Keyv`, by what it can do. */
export function isKeyvClient(value: unknown): value is KeyvClient {
  if (typeof value !== 'object' || value === null) return false
  const methods = ['getRaw', 'set', 'delete', 'on', 'off']
  return methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}

/** What Keyv 6 knows of its adapter; a Map behind it is listed by its entries. */
interface DescribedAdapter {
  capabilities?: { methods?: { iterator?: { exists?: boolean } } }
  store?: { entries?: unknown }
}

/** Tells whether the adapter can list its keys; where it cannot, Keyv 6 would list none. */
export function canList({ iterator, store }: KeyvClient): boolean {
  if (!iterator) return false
  const { capabilities, store: inner } = (store ?? {}) as DescribedAdapter
  if (capabilities?.methods?.iterator?.exists !== false) return true
  return typeof inner?.entries === 'function'
}

/** Throws a `ConfigError` for what is no Keyv, or one with which a store could not be right. */
export function checkKeyv(keyv: KeyvClient): KeyvClient {
  if (!isKeyvClient(keyv)) throw new ConfigError('keyvStore needs a Keyv, version 5.5 or later.')
  if (keyv.opts?.emitErrors === false) {
    throw new ConfigError(
      'keyvStore needs a Keyv that emits errors: with emitErrors: false a failure cannot be told from a value that is absent.',
    )
  }
  if (keyv.namespace?.startsWith('=')) {
    throw new ConfigError("keyvStore needs a Keyv whose namespace does not begin with '='.")
  }
  return keyv
}
