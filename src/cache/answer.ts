import { cacheStatus, type CacheStatus } from './cache-status.ts'
import { currentAge } from './http/age.ts'
import { fieldsOf304, isNotModified } from './http/conditional.ts'
import { freshFor } from './http/reuse.ts'
import { type Field, ReadFields } from './http/stored-fields.ts'
import { HeldReply } from './held-reply.ts'
import { rebuild } from './rebuild.ts'
import type { Asked } from './stored/stored-responses.ts'
import type { StoredResponse } from './stored/stored-response.ts'

/** What a call is answered with: a reply from upstream, or what is stored. */
export type Answer =
  | { readonly response: Response; readonly status: CacheStatus; readonly bytes?: Uint8Array }
  | { readonly stored: StoredResponse; readonly status?: CacheStatus | undefined }

/** Whether others who ask for the same may have it: it may be stored, and nothing of it is left unread. */
export function isForAll(answer: Answer): boolean {
  const { status } = answer
  const detail = status && 'detail' in status ? status.detail : undefined
  if ('stored' in answer) return detail === undefined || detail === 'stale-if-error'
  return answer.bytes !== undefined && detail === undefined
}

/** RFC 9110: statuses that have no body, and with which `Response` refuses one. */
const bodiless = new Set([204, 205, 304])

/** The answer as fetch would give it, with Cache-Status (RFC 9211). */
export function toResponse(answer: Answer, asked: Asked): Response {
  return 'stored' in answer
    ? fromStored(answer.stored, asked, answer.status)
    : fromUpstream(answer.response, answer.bytes, answer.status)
}

/** The stored response as a reply to this request, with its Age (RFC 9111 section 5.1). */
function fromStored(
  stored: StoredResponse,
  { method, url, headers }: Asked,
  status: CacheStatus | undefined,
): Response {
  const now = Date.now()
  const fields = (): Field[] => [
    ...stored.headers,
    ['age', String(Math.floor(currentAge(stored, now)))],
    ['cache-status', cacheStatus(status ?? hit(stored, now))],
  ]
  if (isConditional(headers) && isNotModified(headers, new ReadFields(stored.headers))) {
    return new HeldReply({ status: 304, url, fields: () => fieldsOf304(fields()), body: null })
  }
  const hasBody = method !== 'HEAD' && !bodiless.has(stored.status)
  const { text } = stored
  const body = hasBody ? stored.body : null
  return new HeldReply({ status: stored.status, url: stored.url ?? url, fields, body, text })
}

function hit(stored: StoredResponse, now: number): CacheStatus {
  return { hit: true, ttl: Math.ceil(freshFor(stored, now)) }
}

/** `bytes`: the body, where it was read already. */
function fromUpstream(
  response: Response,
  bytes: Uint8Array | undefined,
  told: CacheStatus,
): Response {
  const { status, statusText, url, redirected } = response
  // LinkedIn's 999, for one, is a status that no Response can be made with.
  if (status > 599 || status < 200) return response
  const fields = (): Array<[string, string]> => [
    ...response.headers,
    ['cache-status', cacheStatus(told)],
  ]
  const hasBody = !bodiless.has(status)
  if (!bytes) return rebuild(response, hasBody ? response.body : null, fields())
  return new HeldReply({
    status,
    statusText,
    url,
    redirected,
    fields,
    body: hasBody ? bytes : null,
  })
}

/** May a 304 be the answer? */
export function isConditional(headers: Asked['headers']): boolean {
  return headers.has('if-none-match') || headers.has('if-modified-since')
}
