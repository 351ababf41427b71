import { jsonReply } from '../server/raw-reply.ts'
import type { RawReply } from '../server/raw-reply.ts'

/** A reply with the headers that the Web API has; they say nothing of use about caching. */
export function spotifyReply(
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): RawReply {
  return jsonReply(value, status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'private, max-age=0',
    vary: 'Authorization',
    ...headers,
  })
}
