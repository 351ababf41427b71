import { ConfigError } from '../errors.ts'
import { type ClientKey, isClientKey } from './client-key.ts'
import { sendingAtOnce } from './presentation.ts'
import type { ClientAuthentication, ProviderDefinition } from './provider-options.ts'
import { type Retry, retryOf } from './retry.ts'
import { normalizeScope } from './scope.ts'
import { checkResource } from './token-target.ts'

export type {
  ClientAuthentication,
  Paging,
  Profile,
  ProviderDefinition,
  ProviderOptions,
  RevokedTokens,
  RevokingClient,
} from './provider-options.ts'
import { parsedUrl } from '../parsed-url.ts'

/** A provider ready for use: checked, complete, its lists normalised. */
export interface Provider {
  readonly name: string
  readonly definition: ProviderDefinition
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly clientKey: ClientKey | undefined
  readonly clientAuthentication: ClientAuthentication
  /** The resources that tokens are for (RFC 8707); API calls use the first. */
  readonly resources: readonly string[]
  readonly scope: readonly string[]
  readonly optionalScope: readonly string[]
  readonly apiBaseUrl: URL | undefined
  readonly apiOrigins: readonly string[]
  readonly userInfo: URL | undefined
  readonly retry: Retry
  readonly fetch: typeof fetch
}

const ownParameters = new Set([
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
  'resource',
  'max_age',
  'dpop_jkt',
])

/** Checks a provider's definition; throws a `ConfigError` that says what to change. */
export function resolveProvider(
  name: string,
  definition: ProviderDefinition,
  fallbackFetch: typeof fetch,
): Provider {
  const complain = (what: string) => new ConfigError(`providers.${name}: ${what}`)
  const { environment, apiBaseUrl } = definition
  const clientId = definition.clientId ?? fromEnvironment(environment, 'CLIENT_ID')
  const clientSecret = definition.clientSecret ?? fromEnvironment(environment, 'CLIENT_SECRET')
  if (!clientId) {
    const variable = environment ? ` or set ${environment}_CLIENT_ID` : ''
    throw complain(`clientId is missing; pass it${variable}.`)
  }
  const clientAuthentication = authenticationOf(definition, clientSecret, complain)
  const isByKey = clientAuthentication === 'private_key_jwt'
  const isBySecret = clientAuthentication.startsWith('client_secret')
  checkParameters(definition, complain)
  const api = apiBaseUrl === undefined ? undefined : apiUrl(apiBaseUrl, complain)
  return {
    name,
    definition,
    issuer: checkEndpoints(definition, complain),
    clientId,
    clientSecret: isBySecret ? clientSecret : undefined,
    clientKey: isByKey ? definition.clientKey : undefined,
    clientAuthentication,
    resources: resourcesOf(definition),
    scope: normalizeScope(definition.scope),
    optionalScope: normalizeScope(definition.optionalScope),
    apiBaseUrl: api,
    apiOrigins: (definition.apiOrigins ?? (api ? [api.origin] : [])).map(
      (origin) => secureUrl(origin, 'apiOrigins', complain).origin,
    ),
    userInfo: userInfoUrl(definition.userInfo, api, complain),
    retry: retryOf(definition.retry, complain),
    fetch: definition.fetch ? sendingAtOnce(definition.fetch) : fallbackFetch,
  }
}

type Complain = (what: string) => ConfigError

function fromEnvironment(prefix: string | undefined, name: string): string | undefined {
  return prefix === undefined ? undefined : process.env[`${prefix}_${name}`]
}

function authenticationOf(
  { clientAuthentication: given, clientKey }: ProviderDefinition,
  clientSecret: string | undefined,
  complain: Complain,
): ClientAuthentication {
  const usual = clientSecret ? 'client_secret_basic' : 'none'
  const clientAuthentication = given ?? (clientKey ? 'private_key_jwt' : usual)
  if (clientAuthentication === 'private_key_jwt' && !isClientKey(clientKey)) {
    throw complain('private_key_jwt needs a clientKey: a private JWK, PEM, or a CryptoKey.')
  }
  if (clientAuthentication.startsWith('client_secret') && !clientSecret) {
    throw complain(`clientAuthentication ${clientAuthentication} needs a clientSecret.`)
  }
  return clientAuthentication
}

/** RFC 9700 section 2.1.2: tokens in a URL leak, and PKCE does for public clients what they were for. */
function checkParameters({ authorizationParameters = {} }: ProviderDefinition, complain: Complain) {
  for (const [parameter, value] of Object.entries(authorizationParameters)) {
    if (parameter === 'response_type' && value !== 'code') {
      throw complain(
        `response_type '${value}' is the implicit or hybrid grant, which puts tokens into URLs and is not offered. ` +
          'The code flow with PKCE is used by itself, also without a clientSecret: leave response_type out, ' +
          'and see docs/providers.md#no-implicit-grant.',
      )
    }
    if (ownParameters.has(parameter)) {
      throw complain(`authorizationParameters must not set ${parameter}; behalf sets it.`)
    }
  }
}

function resourcesOf({ resource = [] }: ProviderDefinition): readonly string[] {
  const resources = typeof resource === 'string' ? [resource] : resource
  for (const one of resources) checkResource(one)
  return resources
}

const furtherEndpoints = [
  'revocationEndpoint',
  'pushedAuthorizationRequestEndpoint',
  'deviceAuthorizationEndpoint',
  'endSessionEndpoint',
  'postLogoutRedirectUri',
] as const

function checkEndpoints(definition: ProviderDefinition, complain: Complain): string {
  const { issuer, discovery, authorizationEndpoint, tokenEndpoint } = definition
  for (const name of furtherEndpoints) {
    const given = definition[name]
    if (given !== undefined) secureUrl(given, name, complain)
  }
  if (issuer !== undefined) secureUrl(issuer, 'issuer', complain)
  if (discovery) {
    if (issuer === undefined) throw complain('issuer is missing; it is where discovery begins.')
    return issuer
  }
  if (!authorizationEndpoint) throw complain('authorizationEndpoint is missing.')
  if (!tokenEndpoint) throw complain('tokenEndpoint is missing.')
  secureUrl(tokenEndpoint, 'tokenEndpoint', complain)
  const { origin } = secureUrl(authorizationEndpoint, 'authorizationEndpoint', complain)
  return issuer ?? origin
}

function apiUrl(text: string, complain: Complain): URL {
  const url = secureUrl(text, 'apiBaseUrl', complain)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

function userInfoUrl(
  text: string | false | undefined,
  api: URL | undefined,
  complain: Complain,
): URL | undefined {
  if (text === undefined || text === false) return undefined
  const url = parsedUrl(text, api)
  if (!url) throw complain(`userInfo '${text}' is not a URL.`)
  return secureUrl(url.href, 'userInfo', complain)
}

/** RFC 9700 section 2.6: end-to-end TLS; plain http only to this very machine, for development. */
function secureUrl(text: string, option: string, complain: Complain): URL {
  const url = parsedUrl(text)
  if (!url) throw complain(`${option} '${text}' is not a URL.`)
  if (url.username || url.password) throw complain(`${option} must not contain credentials.`)
  if (url.protocol === 'https:') return url
  if (isSecure(url) && process.env['NODE_ENV'] !== 'production') return url
  throw complain(
    `${option} must be an https URL (http is possible for 127.0.0.1, [::1] and localhost, outside production).`,
  )
}

/** May secrets go there: by https, or by http within this machine? */
export function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))
}

/** RFC 8252 section 7.3: the hosts that never leave the machine. */
export function isLoopback(url: URL): boolean {
  return ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
}
