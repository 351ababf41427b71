import { ApiError } from './api-error.ts'
import type { PageQuery } from './api-paging.ts'
import { isId } from './catalogue-id.ts'
import { timeRanges } from './library.ts'
import type { TimeRange } from './library.ts'
import type { ReceivedRequest } from '../server/listen.ts'

/** `limit` and `offset` of a list: 1 to 50, default 20, from 0 on, where the route has no other. */
export function pageQuery(
  { searchParams }: URL,
  { usual = 20, most = 50, lastOffset = Infinity } = {},
): PageQuery {
  const limit = limitOf(searchParams, usual, most)
  const offset = wholeNumber(searchParams.get('offset') ?? '0')
  if (offset === undefined || offset > lastOffset) throw new ApiError(400, 'Invalid offset')
  return { limit, offset }
}

/** `limit` with `before` or `after`, instants in epoch ms; at most one of the two. */
export function cursorQuery({ searchParams }: URL): {
  limit: number
  before: number | undefined
  after: number | undefined
} {
  const limit = limitOf(searchParams, 20, 50)
  const [before, after] = [cursor(searchParams, 'before'), cursor(searchParams, 'after')]
  if (before !== undefined && after !== undefined) {
    throw new ApiError(400, 'Only one of before and after can be specified')
  }
  return { limit, before, after }
}

/** `time_range`, default `medium_term`. */
export function timeRangeOf({ searchParams }: URL): TimeRange {
  const asked = searchParams.get('time_range') ?? 'medium_term'
  const range = timeRanges.find((name) => name === asked)
  if (!range) throw new ApiError(400, 'Invalid time range')
  return range
}

/** The ids in `ids=a,b,c`; 1 to `most`. */
export function idsOf({ searchParams }: URL, most: number): string[] {
  const asked = searchParams.get('ids')
  if (asked === null) throw new ApiError(400, 'Missing required field: ids')
  return checkedIds(asked.split(','), most)
}

/** The ids in `ids=a,b,c`, in `uris=spotify:track:a,…` or in a JSON body `{"ids": [...]}`; 1 to 50. */
export function trackIds({ url, body }: ReceivedRequest): string[] {
  const { searchParams } = url
  const asked =
    searchParams.get('ids') ?? searchParams.get('uris')?.replaceAll('spotify:track:', '')
  return checkedIds(asked === undefined ? idsInBody(body) : asked.split(','), 50)
}

/** `{ "ids": [...] }`, or the bare list that Spotify's own SDK sends. */
function idsInBody(body: string): string[] {
  const parsed = parseJson(body)
  const ids = Array.isArray(parsed) ? parsed : (parsed as { ids?: unknown } | null)?.ids
  if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) return ids
  throw new ApiError(400, 'Missing required field: ids')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ApiError(400, 'Error parsing JSON.')
  }
}

function checkedIds(given: readonly string[], most: number): string[] {
  const ids = given.map((id) => id.trim())
  if (ids.length > most) throw new ApiError(400, 'Too many ids requested')
  if (ids.length === 0 || !ids.every(isId)) throw new ApiError(400, 'Invalid base62 id')
  return ids
}

function limitOf(searchParams: URLSearchParams, usual: number, most: number): number {
  const limit = wholeNumber(searchParams.get('limit') ?? String(usual))
  if (limit === undefined || limit < 1 || limit > most) throw new ApiError(400, 'Invalid limit')
  return limit
}

function cursor(searchParams: URLSearchParams, name: 'before' | 'after'): number | undefined {
  const text = searchParams.get(name)
  if (text === null) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new ApiError(400, `Invalid cursor: ${name}`)
  return Number(text)
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined
}
