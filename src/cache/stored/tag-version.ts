import { randomBytes } from 'node:crypto'
import { bufferOf } from '../../buffer-of.ts'
import type { StoredValue } from '../../stores/store.ts'

/** How a stored response stands now: `stale` may be served where stale responses may. */
export type Standing = 'valid' | 'stale' | 'invalid'

/** A version has two halves: a new first half invalidates, a new second half makes stale. */
const halfBytes = 8

/** A version that never was: two at the same time are as good as one. */
export function newVersion(): Buffer {
  return randomBytes(2 * halfBytes)
}

/** Another version, which only makes stale what hangs on `former`. */
export function agedVersion(former: Uint8Array): Buffer {
  const next = newVersion()
  next.set(former.subarray(0, halfBytes))
  return next
}

/** What stands in the place of a version, and was not written here. */
const unreadable = '?'

/** The version that is under a key, as marks have it; `undefined` for none. */
export function versionIn(found: StoredValue | undefined): string | undefined {
  if (!found) return undefined
  return found.value.byteLength === 2 * halfBytes ? versionText(found.value) : unreadable
}

/** A version as marks have it. */
export function versionText(version: Uint8Array): string {
  return bufferOf(version).toString('base64url')
}

/** What hangs on a version that is lost (evicted, expired, unreadable) counts as invalidated. */
export function isLost(version: string | undefined): boolean {
  return version === undefined || version === unreadable
}

/** How one stands that carries a tag's version. */
export function standingAt(carried: string, now: string | undefined): Standing {
  if (isLost(now)) return 'invalid'
  if (now === carried) return 'valid'
  const [was, is] = [carried, now as string].map((version) => Buffer.from(version, 'base64url'))
  return was!.subarray(0, halfBytes).equals(is!.subarray(0, halfBytes)) ? 'stale' : 'invalid'
}

/** How one stands that hangs on all of these. */
export function worstOf(standings: readonly Standing[]): Standing {
  if (standings.includes('invalid')) return 'invalid'
  return standings.includes('stale') ? 'stale' : 'valid'
}
