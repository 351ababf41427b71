const maxLength = 2_048

/** Controls (C0, C1), white space, backslash, and characters that are invisible or turn text around. */
const unsafe = /[\p{Cc}\p{Cf}\p{Z}\\]/u

/**
 * The local path to come back to after a login (RFC 9700 section 4.11: no open redirector), or `/`
 * for anything that is not safely one: it must stay a path of this origin however often it is
 * percent-decoded (more than three times it must not be encoded), and must not be one of behalf's own routes. Gives it as a URL parser writes it.
 */
export function safeReturnTo(value: unknown, ownRoutes: string): string {
  if (typeof value !== 'string' || value.length > maxLength) return '/'
  if (!isLocalPath(value)) return '/'
  const { pathname, search, hash } = new URL(value, base)
  const path = `${pathname}${search}${hash}`
  const isOwn = pathname === ownRoutes || pathname.startsWith(`${ownRoutes}/`)
  return isOwn || path.length > maxLength || !staysLocal(path) ? '/' : path
}

const base = 'https://app.invalid'
/** The origin, and a path that no browser takes for a host. */
const local = /^https:\/\/app\.invalid\/(?!\/)/
const mostDecodings = 3

function isLocalPath(value: string): boolean {
  if (unsafe.test(value) || !value.startsWith('/') || value.startsWith('//')) return false
  return local.test(new URL(value, base).href)
}

/** A proxy or the app may decode the path once more, or twice; nobody needs it encoded more often. */
function staysLocal(path: string): boolean {
  let decoded = path.split(/[?#]/, 1)[0]!
  try {
    for (let round = 0; round <= mostDecodings; round += 1) {
      if (!isLocalPath(decoded)) return false
      const next = decodeURIComponent(decoded)
      if (next === decoded) return true
      decoded = next
    }
  } catch {
    // What is no UTF-8 is read differently by everyone who reads it.
  }
  return false
}
