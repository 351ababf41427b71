import { type Directives, parseCacheControl } from './cache-control.ts'

/** Header fields as they are read, never changed. */
export type Fields = Pick<Headers, 'get' | 'has'>

/** The fields of a request that has none. */
export const noHeaders: Fields = { get: () => null, has: () => false }

/** RFC 9111's two kinds of cache: one user's, or of many. */
export type CacheKind = 'private' | 'shared'

/** A reply as the decisions see it. */
export interface Received {
  readonly status: number
  readonly headers: Fields
  readonly directives: Directives
  /** When its request was sent, epoch ms. */
  readonly requestedAt: number
  /** When it came, epoch ms. */
  readonly receivedAt: number
}

/** Makes a reply ready for the decisions. */
export function received(
  { status, headers }: { readonly status: number; readonly headers: Fields },
  requestedAt: number,
  receivedAt: number,
): Received {
  const directives = parseCacheControl(headers.get('cache-control'))
  return { status, headers, directives, requestedAt, receivedAt }
}
