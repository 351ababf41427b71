import { ConfigError } from '../../errors.ts'
import type { App } from '../../middleware/app.ts'
import type { Behalf } from '../../middleware/behalf.ts'
import { redirectUriOf } from '../../middleware/configuration.ts'
import { newRecord } from '../../middleware/new-record.ts'
import type { GrantOwner } from '../../oauth/grant-owner.ts'
import { userOwner } from '../../oauth/grant-owner.ts'
import type { ProviderAccess } from '../../oauth/provider-access.ts'
import { normalizeScope } from '../../oauth/scope.ts'
import { formatHandle, newHandle } from '../../sessions/session.ts'
import { submitLoginPage } from './submit-login-page.ts'

/** What `behalf()` or `createBehalf()` has made. */
export type Auth = Behalf | { readonly core: Behalf }

/** Options of {@link sessionCookie}. */
export interface SessionCookieOptions {
  /** The id of a user of the test provider. */
  user: string
  /** The provider's name in the app, such as `spotify`. */
  provider: string
  /** What the user grants. Default what the provider is configured for. */
  scope?: string | readonly string[] | undefined
}

/** Options of {@link grantFor}. */
export interface GrantForOptions extends SessionCookieOptions {
  /** The id of the app's own user, as the option `user` of `behalf()` gives it. */
  user: string
  /** The id of a user of the test provider. Default the same. */
  as?: string | undefined
}

/**
 * Connects a provider to a user of the app without a browser, for tests of jobs and of routes: the
 * login takes place at the test provider, and its tokens are good there.
 *
 * Throws a `ConfigError` for an app without the option `user` (see {@link sessionCookie}) and for
 * a provider that it does not have.
 */
export async function grantFor(auth: Auth, options: GrantForOptions): Promise<void> {
  const app = await appOf(auth)
  if (!app.connects) {
    throw new ConfigError(
      'grantFor() is for apps with the option user(); here a grant belongs to a session: use sessionCookie() or loginAs().',
    )
  }
  const { user, as = user, ...rest } = options
  await grant(app, userOwner(user), { ...rest, user: as })
}

/**
 * A visitor who is logged in: the value of the header `Cookie` for requests to an app whose session
 * is a cookie of behalf's own. The login takes place at the test provider.
 *
 * Throws a `ConfigError` for apps whose grants belong to users (see {@link grantFor}) or whose
 * session is express-session's (see `loginAs`), and for a provider that the app does not have.
 */
export async function sessionCookie(auth: Auth, options: SessionCookieOptions): Promise<string> {
  const app = await appOf(auth)
  if (app.connects || app.options.session === 'express-session') {
    throw new ConfigError(
      "sessionCookie() is for sessions of behalf's own: use grantFor() with the option user(), loginAs() with express-session.",
    )
  }
  const handle = newHandle()
  await grant(app, { kind: 'session', ...handle }, options)
  const { name, secure } = app.configuration.cookie
  return `${secure ? '__Host-' : ''}${name}=${formatHandle(handle)}`
}

function appOf(auth: Auth): Promise<App> {
  return ('core' in auth ? auth.core : auth).app()
}

async function grant(
  app: App,
  owner: GrantOwner,
  { user, provider, scope }: SessionCookieOptions,
): Promise<void> {
  const access = app.access(provider)
  const asked = scope === undefined ? access.provider.scope : normalizeScope(scope)
  const result = await loginAt(app, access, user, asked)
  await access.records.replace(owner, provider, newRecord(app, access, asked, result))
}

async function loginAt(app: App, access: ProviderAccess, user: string, scope: readonly string[]) {
  const { origins, basePath } = app.configuration
  const login = access.server.newLogin()
  const redirectUri = redirectUriOf(
    access.provider,
    `${origins[0] ?? 'http://127.0.0.1'}${basePath}`,
  )
  const request = await access.server.authorizationUrl(login, redirectUri, scope, {})
  const landing = await submitLoginPage(request.href, { user })
  return access.server.finishLogin(new URL(landing), login)
}
