import { type LoginTransaction, nameOf } from './login-transaction.ts'
import { continuePage, redirect } from './reply.ts'
import type { Visit } from './visit.ts'
import { withQuery } from './with-query.ts'

const prefix = '.r.'
const purpose = 'login response'
/** Seconds: it is fetched again at once. */
const lifetime = 60
/** With its attributes the cookie has to stay below 4,096 bytes. */
const longest = 3_800

/** Where the browser is on its way from the provider. */
type Landing =
  | { at: 'callback' }
  | { at: 'own page'; name: string }
  | { at: 'home again'; name: string }

/**
 * A browser that comes from the provider leaves `SameSite=Strict` cookies behind: it is led over a page
 * of the app's own, from which it brings them. Code and state wait in a sealed cookie meanwhile, so
 * that the page's address has neither (RFC 9700 section 4.2.4).
 */
export function landingOf({ source }: Visit): Landing {
  const name = source.url.searchParams.get('resume')
  if (name === null || !/^[0-9a-f]{12}$/.test(name)) return { at: 'callback' }
  return source.url.searchParams.has('go') ? { at: 'home again', name } : { at: 'own page', name }
}

/**
 * Leads over the app's own page, where something stays behind that this login needs, or that its end
 * would be lost without. A response that fits into no cookie goes the short way.
 */
export async function detourFor(
  visit: Visit,
  landing: Landing,
  transaction: LoginTransaction,
): Promise<Response | undefined> {
  const { app, source } = visit
  if (landing.at !== 'callback' || !(await isIncomplete(visit, transaction))) return undefined
  const name = nameOf(transaction)
  const sealed = app.keyRing.seal(purpose, name, Buffer.from(source.url.search))
  const value = Buffer.from(sealed).toString('base64url')
  if (value.length > longest) return undefined
  source.jar.set(`${prefix}${name}`, value, lifetime)
  return redirect(withQuery(source.url.pathname, { resume: name }))
}

async function isIncomplete(visit: Visit, transaction: LoginTransaction): Promise<boolean> {
  const { app, source } = visit
  if (source.header('sec-fetch-site') !== 'cross-site') return false
  if (source.session.isStrict) return true
  if (app.connects) return transaction.user !== undefined && (await visit.user()) === undefined
  return transaction.session !== undefined && source.session.read() === undefined
}

/** The app's own page: the next request comes from it, and so brings all cookies. */
export function ownPage({ source }: Visit, name: string): Response {
  return continuePage(withQuery(source.url.pathname, { resume: name, go: '1' }))
}

/** The response's query: the request's, or what was kept of it; `undefined` when that is gone. */
export function searchOf({ app, source }: Visit, landing: Landing): string | undefined {
  if (landing.at === 'callback') return source.url.search
  const value = source.jar.get(`${prefix}${landing.name}`)
  if (value === undefined) return undefined
  const opened = app.keyRing.open(purpose, landing.name, Buffer.from(value, 'base64url'))
  return opened.ok ? Buffer.from(opened.value).toString() : undefined
}

/** Lets go of what was kept, once it is used. */
export function forgetKept({ source }: Visit, landing: Landing): void {
  if (landing.at !== 'callback') source.jar.delete(`${prefix}${landing.name}`)
}
