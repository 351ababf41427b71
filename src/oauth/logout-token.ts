import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import type { ServerMetadata } from 'openid-client'
import { ProviderUnavailableError } from '../errors.ts'
import { parsedUrl } from '../parsed-url.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { providerFetch } from './provider-fetch.ts'

/** Whose sessions a provider has ended (OpenID Connect Back-Channel Logout 1.0 section 2.4). */
export interface LogoutToken {
  /** Unique: the same token is not taken twice. */
  jti: string
  /** All sessions of this subject, where there is no `sid`. */
  subject: string | undefined
  /** The one session of the provider. */
  sid: string | undefined
}

/** It is no logout token of this provider for this app; the message says why, without the token. */
export class InvalidLogoutToken extends Error {}

/** Seconds: an older one is not taken, so that its `jti` need not be remembered for longer. */
const logoutTokenLifetime = 600
const clockTolerance = 60
/** Milliseconds. */
const keysCooldown = 5_000
const longestToken = 16_384
const longestClaim = 1_024
const event = 'http://schemas.openid.net/event/backchannel-logout'
/** Signatures that somebody without the provider's private key cannot make. */
const asymmetric = /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/

/** Checks logout tokens of one provider (Back-Channel Logout section 2.6). */
export class LogoutTokens {
  readonly #server: AuthorizationServer
  #keys: JWTVerifyGetKey | undefined
  /** Until when they are not asked for again, on the clock of `performance.now()`. */
  #failedUntil = 0

  constructor(server: AuthorizationServer) {
    this.#server = server
  }

  /** Throws `InvalidLogoutToken`, or a `ProviderUnavailableError` while its keys cannot be had. */
  async verified(token: string): Promise<LogoutToken> {
    const metadata = (await this.#server.configured()).serverMetadata()
    if (token.length > longestToken) throw new InvalidLogoutToken('it is too long')
    if (!metadata.jwks_uri) throw new InvalidLogoutToken('the provider publishes no keys')
    if (!isAsSafe(metadata.jwks_uri, this.#server.provider.issuer)) {
      throw new InvalidLogoutToken('the provider publishes its keys without https')
    }
    const { payload, protectedHeader } = await this.#verify(token, metadata)
    const type = protectedHeader.typ?.toLowerCase() ?? 'jwt'
    // An ID token has the same keys and audience, and must not pass for one.
    if (!['jwt', 'logout+jwt', 'application/logout+jwt'].includes(type)) {
      throw new InvalidLogoutToken('its typ is another one')
    }
    if (payload.iss !== issuerFor(metadata, payload)) {
      throw new InvalidLogoutToken('its issuer is another one')
    }
    return checked(payload)
  }

  async #verify(token: string, metadata: Readonly<ServerMetadata>) {
    const { clientId } = this.#server.provider
    const listed = metadata.id_token_signing_alg_values_supported ?? ['RS256']
    try {
      return await jwtVerify(token, (this.#keys ??= this.#remoteKeys(metadata.jwks_uri!)), {
        algorithms: listed.filter((alg) => asymmetric.test(alg)),
        audience: clientId,
        requiredClaims: ['iat', 'jti', 'events'],
        maxTokenAge: logoutTokenLifetime,
        clockTolerance,
      })
    } catch (error) {
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) {
        throw new ProviderUnavailableError(this.#server.provider.name, 'its keys cannot be had')
      }
      // jose's messages hold names of claims, and nothing of the token.
      throw new InvalidLogoutToken(error.code)
    }
  }

  /** An unknown key is looked for once in a while: somebody could ask for many. */
  #remoteKeys(uri: string): JWTVerifyGetKey {
    const { timeout } = this.#server
    return createRemoteJWKSet(new URL(uri), {
      cooldownDuration: 30_000,
      timeoutDuration: Math.ceil(timeout * 1000),
      [customFetch]: (url, init) => this.#fetchKeys(url, init),
    })
  }

  /** A server that has no keys now is asked again after a while: anybody can send tokens. */
  async #fetchKeys(url: string, init: RequestInit): Promise<Response> {
    const { provider, timeout } = this.#server
    const unavailable = new ProviderUnavailableError(provider.name, 'its keys cannot be had')
    if (performance.now() < this.#failedUntil) throw unavailable
    try {
      const response = await providerFetch(provider, timeout, url, init)
      const body = (await response.clone().json()) as { keys?: unknown } | null
      if (response.status === 200 && Array.isArray(body?.keys) && body.keys.every(isObject)) {
        return response
      }
    } catch {
      // As what is no key set.
    }
    this.#failedUntil = performance.now() + keysCooldown
    throw unavailable
  }
}

/** Keys that come by plain http are anybody's on the way; only for an issuer on this machine they may. */
function isAsSafe(uri: string, issuer: string): boolean {
  const { protocol } = parsedUrl(uri) ?? {}
  return protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'))
}

/** At Microsoft the issuer is that of the user's tenant. */
function issuerFor({ issuer }: Readonly<ServerMetadata>, { tid }: JWTPayload): string {
  return typeof tid === 'string' ? issuer.replace('{tenantid}', tid) : issuer
}

function checked({ jti, sub, sid, events, nonce }: JWTPayload): LogoutToken {
  const isEvent = isObject(events) && isObject(events[event])
  if (!isEvent) throw new InvalidLogoutToken('it is about another event')
  if (nonce !== undefined) throw new InvalidLogoutToken('it has a nonce')
  const [subject, session] = [claim(sub), claim(sid)]
  if (subject === undefined && session === undefined) {
    throw new InvalidLogoutToken('it names neither a subject nor a session')
  }
  if (claim(jti) === undefined) throw new InvalidLogoutToken('its jti is no text')
  return { jti: jti!, subject, sid: session }
}

function claim(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '' && value.length <= longestClaim) return value
  throw new InvalidLogoutToken('a claim is no text')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
