import { decrypt, encrypt } from '../key-ring.ts'

/** A reply as it is kept. */
export interface StoredResponse {
  /** The key it was stored under; found under another one, it is a miss. */
  key: string
  status: number
  /** Name and value; a field that came several times stands several times. */
  headers: ReadonlyArray<readonly [string, string]>
  /** What Vary selected it by, as HMACs. */
  variant: Readonly<Record<string, string>>
  /** When it was received, epoch ms. */
  storedAt: number
  /** Until when it may be reused, epoch ms. */
  freshUntil: number
  body: Uint8Array
}

/** RFC 9111 section 3.1, hop-by-hop fields, and what no longer fits the decoded body. */
const neverStored = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'set-cookie',
  'set-cookie2',
  'authorization',
  'www-authenticate',
  'content-encoding',
  'content-length',
  'age',
  'cache-status',
])

/** The header fields of a reply that may be stored. */
export function storableHeaders(headers: Headers): Array<[string, string]> {
  return [...headers].filter(([name]) => !neverStored.has(name))
}

/** One self-describing value: a length, the description as JSON, the body. */
export function encodeResponse({ body, ...about }: StoredResponse): Uint8Array {
  const description = Buffer.from(JSON.stringify(about))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(description.length)
  return Buffer.concat([length, description, body])
}

/** `undefined` for whatever is not a stored response of that key; never throws. */
export function decodeResponse(key: string, value: Uint8Array): StoredResponse | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (bytes.length < 4) return undefined
  const bodyAt = 4 + bytes.readUInt32BE(0)
  if (bodyAt > bytes.length) return undefined
  try {
    const about: unknown = JSON.parse(bytes.toString('utf8', 4, bodyAt))
    return isDescription(about) && about.key === key
      ? { ...about, body: bytes.subarray(bodyAt) }
      : undefined
  } catch {
    return undefined
  }
}

/** Seals an encoded response for its key; only who holds the partition's key can read it. */
export function sealResponse(partitionKey: Uint8Array, key: string, value: Uint8Array): Uint8Array {
  return encrypt(partitionKey, Buffer.from(`response ${key}`), value)
}

/** `undefined` for what another grant's key sealed, or what is damaged or swapped. */
export function openResponse(
  partitionKey: Uint8Array,
  key: string,
  sealed: Uint8Array,
): Uint8Array | undefined {
  return decrypt(partitionKey, Buffer.from(`response ${key}`), sealed)
}

function isDescription(value: unknown): value is Omit<StoredResponse, 'body'> {
  if (typeof value !== 'object' || value === null) return false
  const { key, status, headers, variant, storedAt, freshUntil } = value as Record<string, unknown>
  return (
    typeof key === 'string' &&
    typeof status === 'number' &&
    status >= 200 &&
    status <= 599 &&
    Array.isArray(headers) &&
    headers.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isText)) &&
    typeof variant === 'object' &&
    variant !== null &&
    Object.values(variant).every(isText) &&
    Number.isFinite(storedAt) &&
    Number.isFinite(freshUntil)
  )
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
