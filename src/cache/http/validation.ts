import type { Fields } from './received.ts'

/** Is there anything to ask by? */
export function hasValidator(headers: Fields): boolean {
  return headers.has('etag') || headers.has('last-modified')
}

/**
 * What to ask by whether a stored response is still good (RFC 9111 section 4.3.1); `undefined` where
 * there is nothing.
 */
export function validatorsOf(headers: Fields): Readonly<Record<string, string>> | undefined {
  const etag = headers.get('etag')
  const modified = headers.get('last-modified')
  if (etag === null && modified === null) return undefined
  return {
    ...(etag === null ? {} : { 'if-none-match': etag }),
    ...(modified === null ? {} : { 'if-modified-since': modified }),
  }
}

/**
 * What tells the caches on the way how fresh a reply is wanted, as the Fetch standard has it. A request
 * with conditions says so too: Node's `fetch` would put `no-cache` there.
 */
export function freshnessAsked(
  mode: string,
  request: Fields,
  isValidation: boolean,
): string | undefined {
  if (request.has('cache-control')) return undefined
  if (mode === 'reload') return 'no-cache'
  return mode === 'no-cache' || isValidation ? 'max-age=0' : undefined
}

/** Is a reply to HEAD about the same representation as the stored one (section 4.3.5)? */
export function isSameRepresentation(stored: Fields, fresh: Fields): boolean {
  return ['etag', 'last-modified', 'content-length'].every((name) => {
    const [before, now] = [stored.get(name), fresh.get(name)]
    return before === null || now === null || before === now
  })
}
