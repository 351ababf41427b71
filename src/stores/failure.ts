import { StoreUnavailableError } from '../errors.ts'

/**
 * What a failure of a backend becomes. A driver's own text may quote credentials, keys or values,
 * so that only its code is kept (ST-12). Our errors, and a `RangeError` about an argument, stay.
 */
export function storeFailure(name: string, error: unknown): unknown {
  const code = codeOf(error)
  if (isAnswer(error) || code === 'store_unavailable') return error
  const reason = code && /^[A-Z0-9][A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : ''
  return new StoreUnavailableError(`the ${name} failed${reason}`)
}

/**
 * Errors that say something about the call or the configuration, not about the backend's health.
 * A `RangeError` with a code is Node's own, about what a driver did.
 */
export function isAnswer(error: unknown): boolean {
  const code = codeOf(error)
  if (error instanceof RangeError) return code === undefined
  return code === 'config_invalid' || code === 'unsupported_operation'
}

/** By code, not by class: frameworks load a module several times, each with its own classes. */
function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}
