/** What the store says of a lease: plain JSON, for nothing in it is secret. */
export interface LeaseEntry {
  /** Random: whose it is. */
  owner: string
  /** SHA-256 of the refresh token that it is about. */
  token: string
  /**
   * `taken`: the token is being presented, or its holder is gone; `unknown`: it was sent, and no
   * answer came; `cooling`: the provider did not want it now.
   */
  phase: 'taken' | 'unknown' | 'cooling'
  /** Seconds for which a lease that does not change belongs to its owner. */
  lease: number
  /** Attempts in a row that brought no tokens. */
  failures: number
  /** An attempt before this one may have reached the provider. */
  again: boolean
  /** Nobody asks before: epoch ms, and the seconds that this was in the future. */
  notBefore?: number | undefined
  pause?: number | undefined
  /** The error code of RFC 6749 section 5.2 with which the provider refuses this app. */
  refusal?: string | undefined
}

const formatVersion = 1
/** Seconds: what is longer was not written by us. */
const longest = 3_600

/** Writes an entry down. */
export function encodeLease(entry: LeaseEntry): Uint8Array {
  return Buffer.from(JSON.stringify({ v: formatVersion, ...entry }))
}

/** Reads what a store returned; `undefined` for anything that is no entry. */
export function decodeLease(bytes: Uint8Array): LeaseEntry | undefined {
  const value = parse(bytes)
  if (value?.['v'] !== formatVersion) return undefined
  const { owner, token, phase, lease, failures, again, notBefore, pause, refusal } = value
  const wellFormed =
    [owner, token].every((text) => typeof text === 'string' && text.length <= 64) &&
    ['taken', 'unknown', 'cooling'].includes(phase as string) &&
    isDuration(lease) &&
    Number.isSafeInteger(failures) &&
    (failures as number) >= 0 &&
    typeof again === 'boolean' &&
    (notBefore === undefined || (Number.isFinite(notBefore) && isDuration(pause))) &&
    (refusal === undefined || (typeof refusal === 'string' && /^[a-z_]{1,40}$/.test(refusal)))
  if (!wellFormed) return undefined
  const { v: _version, ...entry } = value
  return entry as unknown as LeaseEntry
}

function isDuration(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= longest
}

function parse(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString())
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
