import { TokenHandler } from '../oauth/token-handler.ts'
import { isNavigation } from './fetch-metadata.ts'
import { empty, redirect } from './reply.ts'
import { safeReturnTo } from './return-to.ts'
import type { Visit } from './visit.ts'
import { withQuery } from './with-query.ts'

const suffix = '.bounced'
/** Seconds within which a page does not lead here twice: what has not helped will not. */
const memory = 10

/**
 * Where a page leads that could keep no new tokens, because it sets no cookies: `undefined` where the
 * browser has just been there.
 */
export function bounceFrom({ source, routes }: Visit, returnTo: string): string | undefined {
  if (source.jar.get(suffix) !== undefined) return undefined
  return withQuery(`${routes}/refresh`, { returnTo })
}

/** `GET refresh`: new tokens go out with a reply that can carry them, and the browser goes back. */
export async function refreshBounce(visit: Visit): Promise<Response> {
  const { app, source, routes } = visit
  if (!isNavigation(source.header)) return empty(400)
  for (const access of app.accesses.values()) {
    if (!(await access.find(visit))) continue
    // Whatever is wrong, the page meets it again, and can say so in its own words.
    await new TokenHandler(access, visit).getAccessToken().catch(() => {})
  }
  source.jar.set(suffix, '1', memory)
  return redirect(safeReturnTo(source.url.searchParams.get('returnTo'), routes))
}
