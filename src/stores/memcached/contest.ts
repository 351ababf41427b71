import { StoreUnavailableError } from '../../errors.ts'
import type { Found } from './session.ts'

/** What a write gives that another writer was quicker than. */
export const lost: unique symbol = Symbol('lost')

/** So often a write may be lost although nothing else was written. */
const mostDenials = 20

/** Of writers at the same moment one wins each time; more than these do not meet. */
const mostTries = 1000

/** Finds and writes, again while another writer is quicker. Gives up on a server that only says so. */
export async function untilWon<T>(
  find: () => Promise<Found>,
  write: (found: Found) => Promise<T | typeof lost>,
): Promise<T> {
  let denials = 0
  let before: Found | undefined
  for (let tries = 0; tries < mostTries && denials < mostDenials; tries += 1) {
    const found = await find()
    const result = await write(found)
    if (result !== lost) return result
    if (found.cas === before?.cas) denials += 1
    before = found
  }
  throw new StoreUnavailableError('the memcached server refuses every write of an entry')
}
