import { randomFillSync } from 'node:crypto'

const versionBytes = 12
/** Asking the system for each version would cost more than some writes do. */
const random = Buffer.alloc(128 * versionBytes)
let next = random.length

/** A version for the next write: 96 random bits, so that no two writes of any process share one. */
export function newVersion(): string {
  if (next === random.length) {
    randomFillSync(random)
    next = 0
  }
  next += versionBytes
  return random.toString('base64url', next - versionBytes, next)
}
