/** What is kept under a key. */
export interface KeyvRecord {
  key: string
  version: string
  value: Uint8Array
}

/** The record as a text that every adapter and serializer brings back unchanged. */
export function writeRecord({ key, version, value }: KeyvRecord, lives: number): string {
  const expiresAt = lives === Infinity ? undefined : Math.ceil(Date.now() + lives)
  return JSON.stringify({ key, version, value: Buffer.from(value).toString('base64'), expiresAt })
}

/** Reads a record; what is none of ours, or has expired, is nothing. */
export function readRecord(text: unknown): KeyvRecord | undefined {
  const { key, version, value, expiresAt = Infinity } = parsed(text)
  if (typeof key !== 'string' || typeof version !== 'string') return undefined
  if (typeof value !== 'string' || typeof expiresAt !== 'number') return undefined
  if (expiresAt <= Date.now()) return undefined
  return { key, version, value: Buffer.from(value, 'base64') }
}

function parsed(text: unknown): Record<string, unknown> {
  if (typeof text !== 'string') return {}
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>
  } catch {
    return {}
  }
}
