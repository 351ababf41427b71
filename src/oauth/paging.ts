import { UnexpectedResponseError } from '../errors.ts'
import type { Provider } from './provider.ts'
import { parsedUrl } from '../parsed-url.ts'

/** The address of the page after this one; `undefined` at the end of the list. */
export function nextPage(
  { name, definition: { paging = 'body' } }: Pick<Provider, 'name' | 'definition'>,
  page: unknown,
  response: Response,
  url: URL,
): string | undefined {
  const next = typeof paging === 'function' ? paging(page, response) : found(paging, page, response)
  if (next === undefined) return undefined
  const address = parsedUrl(next, url)
  if (address) return address.href
  throw new UnexpectedResponseError(name, 'a page names a next page that is no URL')
}

function found(paging: 'body' | 'link', page: unknown, response: Response): string | undefined {
  if (paging === 'link') return linkTo('next', response.headers.get('link') ?? '')
  const next = (page as { next?: unknown } | null)?.next
  return typeof next === 'string' && next ? next : undefined
}

/** RFC 8288 section 3: `<target>; rel="next prefetch"`, separated by commas. */
function linkTo(relation: string, header: string): string | undefined {
  for (const [, target, parameters] of header.matchAll(/<([^<>]*)>([^<]*)/g)) {
    const relations = /;\s*rel\s*=\s*"?([^";,]+)/i.exec(parameters ?? '')?.[1]?.split(/\s+/)
    if (relations?.includes(relation)) return target
  }
  return undefined
}
