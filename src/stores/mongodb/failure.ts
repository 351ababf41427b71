import { ConfigError, StoreUnavailableError } from '../../errors.ts'
import { storeFailure } from '../failure.ts'

const duplicateKey = 11_000
const indexConflicts: readonly unknown[] = [85, 86]

/** What the driver's errors tell, as far as it is known. */
interface DriverError {
  code?: unknown
  codeName?: unknown
  name?: unknown
}

/** Tells whether a write lost to another one that made the same document first (E11000). */
export function isDuplicate(error: unknown): boolean {
  return (error as DriverError).code === duplicateKey
}

/** An index on the same field with other options is somebody's decision, so that it stays. */
export function indexFailure(error: unknown): unknown {
  if (!indexConflicts.includes((error as DriverError).code)) return error
  return new ConfigError(
    'The MongoDB collection has an index on expiresAt with other options than behalf needs ' +
      '({ expiresAt: 1 }, { expireAfterSeconds: 0 }): drop that index, or name another collection.',
  )
}

/**
 * A failure without the driver's text, which may quote the URL, a key or a value. The server's name
 * of the error stays, such as AuthenticationFailed, or else that of the driver's class.
 */
export function mongoFailure(error: unknown): unknown {
  const { codeName, name } = error as DriverError
  const reason = [codeName, name].find(
    (text) => typeof text === 'string' && /^(?!Error$)[A-Za-z]{1,60}$/.test(text),
  )
  const failure = storeFailure('MongoDB store', error)
  if (failure === error || reason === undefined) return failure
  return new StoreUnavailableError(`the MongoDB store failed (${reason as string})`)
}
