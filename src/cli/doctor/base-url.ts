import { BehalfError } from '../../errors.ts'
import { originsOf } from '../../middleware/base-url.ts'
import { type Finding, findingsAbout } from './finding.ts'

const { ok, note, change } = findingsAbout('base URL')

/** Where do browsers find the app, and which cookies follow from that? */
export function checkBaseUrl(given: string | undefined): { origin?: string; found: Finding[] } {
  try {
    const [origin] = originsOf(given)
    if (origin === undefined) {
      return { found: [change("Set BEHALF_BASE_URL, or --base-url, to the app's public origin.")] }
    }
    return { origin, found: [ok(origin), ...aboutHost(new URL(origin)), cookiesFor(origin)] }
  } catch (error) {
    if (!(error instanceof BehalfError)) throw error
    return { found: [change(error.message)] }
  }
}

function aboutHost({ hostname, port }: URL): Finding[] {
  if (hostname !== 'localhost') return []
  return [
    note(
      `Spotify refuses localhost, and other hosts of this machine have other cookies: use http://127.0.0.1:${port || 80}`,
    ),
  ]
}

function cookiesFor(origin: string): Finding {
  const cookies = findingsAbout('cookies')
  return origin.startsWith('https:')
    ? cookies.ok('__Host-behalf: Secure, HttpOnly, SameSite=Lax')
    : cookies.note('behalf: HttpOnly, SameSite=Lax, over plain http: for this machine only')
}
