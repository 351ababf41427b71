import { randomFillSync } from 'node:crypto'

/** The random bytes of a version. */
export const versionBytes = 12

/** Asking the system for each version would cost more than some writes do. */
const random = Buffer.alloc(128 * versionBytes)
let used = random.length

/** A version for the next write: 96 random bits, so that no two writes of any process share one. */
export function newVersion(): string {
  const start = take()
  return random.toString('base64url', start, start + versionBytes)
}

/** Writes the bytes of such a version into a record. */
export function putVersion(record: Buffer, at: number): void {
  const start = take()
  random.copy(record, at, start, start + versionBytes)
}

function take(): number {
  if (used === random.length) {
    randomFillSync(random)
    used = 0
  }
  used += versionBytes
  return used - versionBytes
}
