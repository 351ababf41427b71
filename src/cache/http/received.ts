import { type Directives, parseCacheControl } from './cache-control.ts'
import { type Field, ReadFields } from './stored-fields.ts'

/** Header fields as they are read, never changed. */
export type Fields = Pick<Headers, 'get' | 'has'>

/** The fields of a request that has none. */
export const noHeaders: Fields = { get: () => null, has: () => false }

/** RFC 9111's two kinds of cache: one user's, or of many. */
export type CacheKind = 'private' | 'shared'

/** A reply as the decisions see it. */
export interface Received {
  readonly status: number
  readonly headers: ReadFields
  readonly directives: Directives
  /** When its request was sent, epoch ms. */
  readonly requestedAt: number
  /** When it came, epoch ms. */
  readonly receivedAt: number
}

/** Makes a reply ready for the decisions. */
export function received(
  reply: { readonly status: number; readonly headers: Iterable<Field> },
  requestedAt: number,
  receivedAt: number,
): Received {
  const { status } = reply
  const headers = new ReadFields(reply.headers)
  const directives = parseCacheControl(headers.get('cache-control'))
  return { status, headers, directives, requestedAt, receivedAt }
}
