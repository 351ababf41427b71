import { ClientMisconfiguredError, ProviderUnavailableError } from '../errors.ts'
import type { Aftermath, Lease } from './lease.ts'

/**
 * What an attempt that failed leaves behind. An answer that is no refusal says that the provider is
 * in trouble, and who knows how far it got; no answer says nothing at all.
 */
export function aftermathOf(error: unknown, lease: Lease, tokenTimeout: number): Aftermath {
  const { progress } = lease.presented
  const isRefusal = error instanceof ClientMisconfiguredError
  return {
    phase: progress === 'sent' ? 'unknown' : 'cooling',
    again: lease.again || lease.presented.mayHaveWorked,
    pause: Math.max(backOff(lease.failures, tokenTimeout), askedFor(error)),
    refusal: isRefusal ? error.error : undefined,
  }
}

/** Seconds: half a time-out at first, then twice as long each time, up to six time-outs. */
function backOff(failures: number, tokenTimeout: number): number {
  const longest = Math.min(tokenTimeout * 0.5 * 2 ** failures, tokenTimeout * 6)
  return longest * (0.8 + 0.2 * Math.random())
}

function askedFor(error: unknown): number {
  return error instanceof ProviderUnavailableError ? (error.retryAfter ?? 0) : 0
}
