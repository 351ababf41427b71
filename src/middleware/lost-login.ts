import { StateError, type StateErrorReason } from '../errors.ts'
import { loginsUnderWay } from './login-transaction.ts'
import type { Visit } from './visit.ts'

/**
 * Why this browser has not brought its login's cookie along, as far as its request tells: the error
 * says it to the developer, who can mend most of it.
 */
export function lostLogin(visit: Visit): StateError {
  return new StateError('state_unknown', ...whyLost(visit))
}

function whyLost({ app, source }: Visit): [reason: StateErrorReason, advice: string] {
  const { origins, cookie } = app.configuration
  const { host } = source.url
  if (!origins.some((origin) => new URL(origin).host === host)) {
    return [
      'other-host',
      `It came back at ${host}, and cookies belong to a host: open the app at ${origins.join(' or ')}, register that ` +
        'redirect URI, and let a proxy in between pass the Host header on.',
    ]
  }
  if (cookie.secure && isPlainHttp(source.header)) {
    return [
      'plain-http',
      'baseUrl is https, but the browser speaks http to the app, where it keeps no Secure cookie: serve the app over https, ' +
        'or set baseUrl to http://127.0.0.1:<port> during development.',
    ]
  }
  if (loginsUnderWay(source.jar) > 0) {
    return [
      'another-login',
      'The browser has other logins under way, but not this one: it was begun before the last ten of them, or the address ' +
        'was copied from another browser.',
    ]
  }
  if (source.header('cookie') === undefined) {
    return [
      'no-cookies',
      'The browser sent no cookie at all: it refuses them, or the login was begun in another browser or a private window.',
    ]
  }
  return [
    'no-login-cookie',
    'The browser sent cookies, but none of a login: it was begun in another browser, more than an hour ago, or something ' +
      'between browser and app drops Set-Cookie headers or cookies.',
  ]
}

/** Browsers send Sec-Fetch-Mode over https only (and to localhost); proxies tell what they were asked by. */
function isPlainHttp(header: Visit['source']['header']): boolean {
  const forwarded = header('x-forwarded-proto')?.split(',', 1)[0]?.trim()
  if (forwarded !== undefined) return forwarded === 'http'
  const isBrowser = header('user-agent')?.startsWith('Mozilla/') ?? false
  return isBrowser && header('sec-fetch-mode') === undefined
}
