import { ApiError } from './api-error.ts'
import { timeRanges } from './library.ts'
import type { TimeRange } from './library.ts'
import type { ReceivedRequest } from './listen.ts'

const maxIds = 50

/** `limit` (1 to 50, default 20) and `offset` (default 0) of a list. */
export function pageQuery({ searchParams }: URL): { limit: number; offset: number } {
  const limit = wholeNumber(searchParams.get('limit') ?? '20')
  if (limit === undefined || limit < 1 || limit > 50) throw new ApiError(400, 'Invalid limit')
  const offset = wholeNumber(searchParams.get('offset') ?? '0')
  if (offset === undefined) throw new ApiError(400, 'Invalid offset')
  return { limit, offset }
}

/** `time_range`, default `medium_term`. */
export function timeRangeOf({ searchParams }: URL): TimeRange {
  const asked = searchParams.get('time_range') ?? 'medium_term'
  const range = timeRanges.find((name) => name === asked)
  if (!range) throw new ApiError(400, 'Invalid time range')
  return range
}

/** The ids in `ids=a,b,c`, in `uris=spotify:track:a,…` or in a JSON body `{"ids": [...]}`; 1 to 50. */
export function trackIds({ url, body }: ReceivedRequest): string[] {
  const { searchParams } = url
  const asked =
    searchParams.get('ids') ?? searchParams.get('uris')?.replaceAll('spotify:track:', '')
  const ids = asked === undefined ? idsInBody(body) : asked.split(',').map((id) => id.trim())
  if (ids.length === 0 || ids.includes('')) throw new ApiError(400, 'Invalid id')
  if (ids.length > maxIds) throw new ApiError(400, `Too many ids requested`)
  return ids
}

function idsInBody(body: string): string[] {
  try {
    const { ids } = JSON.parse(body) as { ids?: unknown }
    if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) return ids
  } catch {
    throw new ApiError(400, 'Error parsing JSON.')
  }
  throw new ApiError(400, 'Missing required field: ids')
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined
}
