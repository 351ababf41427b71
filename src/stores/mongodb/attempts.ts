import { StoreUnavailableError } from '../../errors.ts'
import { isDuplicate } from './failure.ts'

/** More than enough for writers that make the same document at the same moment. */
const maxAttempts = 20

/** Gives nothing where a document could not be made because another writer has made it. */
export async function unlessDuplicate<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write
  } catch (error) {
    if (isDuplicate(error)) return undefined
    throw error
  }
}

/** Tries again what lost to another writer that made the same document. */
export async function untilDone<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let left = maxAttempts; left > 0; left -= 1) {
    const result = await attempt()
    if (result !== undefined) return result
  }
  throw new StoreUnavailableError('the MongoDB store keeps refusing a write as a duplicate')
}
