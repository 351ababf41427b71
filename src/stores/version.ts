import { randomBytes } from 'node:crypto'

/** A version for the next write: 96 random bits, so that no two writes of any process share one. */
export function newVersion(): string {
  return randomBytes(12).toString('base64url')
}
