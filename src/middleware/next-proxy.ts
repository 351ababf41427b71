import { type NextFetchEvent, type NextRequest, NextResponse } from 'next/server.js'

/** What `proxy.with()` takes: what the app's own `proxy.ts` would export. */
export type ProxyHandler = (
  request: NextRequest,
  event: NextFetchEvent,
) => Response | null | undefined | void | Promise<Response | null | undefined | void>

/** What `proxy.ts` exports. */
export interface Proxy {
  (request: NextRequest, event: NextFetchEvent): Promise<Response>
  /** The same around the app's own, such as next-intl's: it sees the request as pages will. */
  with(handler: ProxyHandler): (request: NextRequest, event: NextFetchEvent) => Promise<Response>
}

/**
 * Under this name pages are told their own path, which Next does not tell them. Nobody's word is
 * trusted for more than where they come back to themselves.
 */
export const pathHeader = 'x-behalf-path'

/** Request headers that are set here and must reach the page; a session in a cookie adds `cookie`. */
const carriedHeaders = [pathHeader]

const overridden = 'x-middleware-override-headers'

/** Makes `proxy`: it never protects anything, and pages work without it. */
export function createProxy(): Proxy {
  const around = (handler: ProxyHandler) => (request: NextRequest, event: NextFetchEvent) =>
    pass(request, event, handler)
  return Object.assign(
    around(() => undefined),
    { with: around },
  )
}

async function pass(
  request: NextRequest,
  event: NextFetchEvent,
  handler: ProxyHandler,
): Promise<Response> {
  if (!isStatic(request.nextUrl.pathname)) prepare(request)
  const response = await handler(request, event)
  return response ? carried(response, request) : NextResponse.next({ request })
}

/** Next's own files have nothing to do with a visitor; the matcher of an app may have forgotten them. */
function isStatic(path: string): boolean {
  return path.startsWith('/_next/') || path === '/favicon.ico'
}

/** On the request itself: so the app's own handler sees it too. */
function prepare({ headers, nextUrl }: NextRequest): void {
  headers.set(pathHeader, `${nextUrl.basePath}${nextUrl.pathname}${nextUrl.search}`)
}

/** A response that leads on to a page takes along what was set; one that answers by itself does not. */
function carried(response: Response, { headers }: NextRequest): Response {
  const leadsOn = ['x-middleware-next', 'x-middleware-rewrite'].some((name) =>
    response.headers.has(name),
  )
  if (!leadsOn) return response
  const names = response.headers.get(overridden)?.split(',') ?? [...headers.keys()]
  const missing = carriedHeaders.filter((name) => headers.has(name) && !names.includes(name))
  const all = response.headers.has(overridden) ? missing : names
  for (const name of all) response.headers.set(`x-middleware-request-${name}`, headers.get(name)!)
  response.headers.set(overridden, [...names, ...missing].join(','))
  return response
}
