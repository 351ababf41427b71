import { type CompiledRules, compileRules } from '../cache/rules/rules.ts'
import { ConfigError } from '../errors.ts'
import type { KeyRing } from '../key-ring.ts'
import { type Provider, resolveProvider } from '../oauth/provider.ts'
import { sendingAtOnce } from '../oauth/presentation.ts'
import { timedFetch } from '../oauth/timed-fetch.ts'
import type { TokenStore } from '../oauth/token-store.ts'
import type { CookieSettings } from '../sessions/cookie-jar.ts'
import type { TokensInRequest } from '../sessions/token-place.ts'
import { createStore } from '../stores/create-store.ts'
import { checkNamespace } from '../stores/limits.ts'
import type { Store } from '../stores/store.ts'
import { isDevelopment, originsOf } from './base-url.ts'
import type { BehalfOptions, Providers, Timeouts } from './options.ts'
import { keyRingFrom } from './secret.ts'
import { parsedUrl } from '../parsed-url.ts'

/** The options, checked and completed. */
export interface Configuration {
  /** The app's public origins; the first is the main one. Empty in a worker, which has no routes. */
  readonly origins: readonly string[]
  readonly basePath: string
  readonly namespace: string
  readonly keyRing: KeyRing | (() => Promise<KeyRing>)
  readonly store: Store
  /** Where token records live when not in the store: a place of the app's own, */
  readonly tokenStore: TokenStore | undefined
  /** or one that each request brings along. */
  readonly tokensInRequest: TokensInRequest | undefined
  /** The store was made here, and is closed here. */
  readonly ownsStore: boolean
  readonly providers: readonly Provider[]
  /** The providers' own rules for the response cache, by name. */
  readonly rules: ReadonlyMap<string, CompiledRules>
  readonly cookie: CookieSettings
  readonly names: { readonly api: string; readonly tokens: string }
  /** Seconds. */
  readonly grantTtl: number
  readonly timeouts: Readonly<Record<keyof Timeouts, number>>
}

const tokenOperations = ['get', 'save', 'delete'] as const
const reservedProviders = new Set(['session', 'refresh', 'logout'])
/** Seconds beyond the token request (TK-10): its way out, three writes of a slow store, a margin. */
const usualLease = 12
const shortestLease = 9
const longestToken = 300
const longestLease = 3600
const month = 30 * 24 * 3600

/** Throws a `ConfigError` that says what to change, for anything unsafe or incomplete. */
export function configure(options: BehalfOptions<Providers, never>): Configuration {
  if (typeof options?.providers !== 'object' || Array.isArray(options.providers)) {
    throw new ConfigError('providers is missing; it is an object: { spotify: spotify() }.')
  }
  const { store: given = process.env['BEHALF_STORE'] } = options
  const basePath = checkBasePath(options.basePath ?? '/auth')
  const origins = originsOf(options.baseUrl ?? process.env['BEHALF_BASE_URL'])
  const timeouts = timeoutsOf(options.timeouts)
  const ownFetch = options.fetch ? sendingAtOnce(options.fetch) : timedFetch(timeouts)
  const providers = Object.entries(options.providers).map(([name, definition]) => {
    checkProviderName(name)
    if (typeof definition !== 'object') {
      throw new ConfigError(`providers.${name} is no provider; call it, as in ${name}: ${name}().`)
    }
    return resolveProvider(name, definition, ownFetch)
  })
  if (providers.length === 0) throw new ConfigError('providers must have at least one provider.')
  checkRedirectUris(providers, origins, basePath)
  checkDistinct(providers)
  const developing = isDevelopment(origins)
  const places = tokenStoreOf(options)
  const grantTtl = seconds('grantTtl.absolute', options.grantTtl?.absolute ?? month)
  if (options.grantTtl?.idle !== undefined) seconds('grantTtl.idle', options.grantTtl.idle)
  const store = checkDurable(
    given === undefined ? developmentStore(developing) : createStore(given),
    options.allowVolatile,
  )
  if (options.tokenStore !== undefined && !developing) warnOfReach(store)
  return {
    origins,
    basePath,
    namespace: checkNamespace('namespace', options.namespace ?? 'behalf'),
    keyRing: keyRingFrom(options.secret, developing),
    store,
    ...places,
    ownsStore: typeof given !== 'object',
    providers,
    rules: new Map(providers.map(({ name, definition }) => [name, compileRules(definition.rules)])),
    cookie: cookieSettings(options.cookie, origins, grantTtl),
    names: { api: options.names?.api ?? 'api', tokens: options.names?.tokens ?? 'tokens' },
    grantTtl,
    timeouts,
  }
}

function timeoutsOf(given: Timeouts = {}): Configuration['timeouts'] {
  const { connect = 3, headers = 10, idle = 10, total = 30 } = given
  const token = seconds('timeouts.token', given.token ?? 10)
  if (token > longestToken) throw new ConfigError(`timeouts.token is at most ${longestToken} s.`)
  return {
    connect: seconds('timeouts.connect', connect),
    headers: seconds('timeouts.headers', headers),
    idle: seconds('timeouts.idle', idle),
    total: seconds('timeouts.total', total),
    token,
    lease: checkLease(seconds('timeouts.lease', given.lease ?? token + usualLease), token),
  }
}

function checkLease(lease: number, token: number): number {
  if (lease <= token || lease > longestLease) {
    throw new ConfigError(
      `timeouts.lease must be longer than timeouts.token, and at most ${longestLease} s.`,
    )
  }
  if (lease < token + shortestLease) {
    process.emitWarning(
      `timeouts.lease is less than timeouts.token and ${shortestLease} s: a store that is slow to keep new tokens may cost a login.`,
      { type: 'BehalfWarning', code: 'BEHALF_SHORT_LEASE' },
    )
  }
  return lease
}

function tokenStoreOf(
  options: BehalfOptions<Providers, never>,
): Pick<Configuration, 'tokenStore' | 'tokensInRequest'> {
  const { tokenStore, session } = options
  if (tokenStore === undefined) return { tokenStore, tokensInRequest: undefined }
  if (isInRequest(tokenStore)) {
    const { name, needsSession } = tokenStore
    if (options.user) {
      throw new ConfigError(
        `tokenStore is ${name}, but with the option user a grant belongs to the user, who comes from many browsers and jobs: leave tokenStore out, or give one of the app's own with get(), save() and delete().`,
      )
    }
    if (needsSession && session === 'own') {
      throw new ConfigError(`tokenStore is ${name}, which needs express-session, not 'own'.`)
    }
    return { tokenStore: undefined, tokensInRequest: tokenStore }
  }
  const methods = tokenStore as Partial<Record<keyof TokenStore, unknown>>
  if (tokenOperations.every((name) => typeof methods[name] === 'function')) {
    return { tokenStore, tokensInRequest: undefined }
  }
  throw new ConfigError(
    'tokenStore needs get(), save() and delete(), or is inSession(), ironSession() or sealedCookie() of behalf/sessions.',
  )
}

function isInRequest(tokenStore: TokenStore | TokensInRequest): tokenStore is TokensInRequest {
  return typeof (tokenStore as Partial<TokensInRequest>).open === 'function'
}

function checkBasePath(basePath: string): string {
  if (/^(\/[\w.~-]+)+$/.test(basePath)) return basePath
  throw new ConfigError(`basePath '${basePath}' must begin with / and not end with it, as /auth.`)
}

function checkProviderName(name: string): void {
  if (reservedProviders.has(name)) throw new ConfigError(`A provider cannot be called ${name}.`)
  if (/^[A-Za-z][\w-]{0,31}$/.test(name)) return
  throw new ConfigError(
    `The provider name '${name}' must begin with a letter and have up to 32 letters, digits, _ and -.`,
  )
}

/** Where a provider sends the browser back to, unless it has a `redirectUri` of its own. */
export function redirectUriOf(provider: Provider, callbackBase: string): string {
  return provider.definition.redirectUri ?? `${callbackBase}/${provider.name}/callback`
}

/** RFC 9700 section 4.4.2: a callback must tell which provider it is of. */
function checkDistinct(providers: readonly Provider[]): void {
  const own = providers.flatMap(({ definition }) => definition.redirectUri ?? [])
  if (new Set(own).size < own.length) {
    throw new ConfigError('Two providers must not have the same redirectUri; give each its own.')
  }
}

function checkRedirectUris(
  providers: readonly Provider[],
  origins: readonly string[],
  basePath: string,
): void {
  for (const provider of providers) {
    for (const origin of origins) {
      const uri = redirectUriOf(provider, `${origin}${basePath}`)
      const given = `providers.${provider.name}: redirectUri '${uri}'`
      const url = parsedUrl(uri)
      if (!url) throw new ConfigError(`${given} is not a URL.`)
      if (!origins.includes(url.origin)) {
        throw new ConfigError(`${given} must be of the origin of baseUrl, which keeps its cookies.`)
      }
      const complaint = provider.definition.checkRedirectUri?.(url)
      if (complaint) throw new ConfigError(complaint)
    }
  }
}

function cookieSettings(
  cookie: BehalfOptions['cookie'],
  origins: readonly string[],
  maxAge: number,
): CookieSettings {
  const name = cookie?.name ?? 'behalf'
  if (!/^[\w-]{1,40}$/.test(name)) throw new ConfigError(`cookie.name '${name}' is no cookie name.`)
  const sameSite = cookie?.sameSite ?? 'lax'
  return { name, sameSite, secure: !origins[0]?.startsWith('http:'), maxAge }
}

function seconds(option: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value
  throw new ConfigError(`${option} must be a number of seconds greater than 0.`)
}

function checkDurable(store: Store, allowVolatile = false): Store {
  if (store.durable || allowVolatile) return store
  throw new ConfigError(
    'The store may drop entries before their time, and with them logins and tokens. Use one that does not, ' +
      'and this one for responseCache({ store }) only; or set allowVolatile: true if a new login is no harm.',
  )
}

function warnOfReach({ reach }: Store): void {
  if (reach !== 'process') return
  process.emitWarning(
    'tokenStore keeps the tokens, but store, which says which of them are the newest, reaches one process only: several processes, or one that is started anew, would present refresh tokens twice. Set store to one that all of them share.',
    { type: 'BehalfWarning', code: 'BEHALF_UNCOORDINATED' },
  )
}

function developmentStore(developing: boolean): Store {
  if (!developing) {
    throw new ConfigError(
      "store is missing; pass one, as createStore('sqlite:behalf.sqlite'), or set BEHALF_STORE.",
    )
  }
  process.emitWarning('Tokens are kept in memory: every restart logs everybody out. Set store.', {
    type: 'BehalfWarning',
    code: 'BEHALF_MEMORY_STORE',
  })
  return createStore('memory:')
}
