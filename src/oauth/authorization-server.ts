import * as oauth from 'openid-client'
import { CallbackError, ClientMisconfiguredError, ProviderUnavailableError } from '../errors.ts'
import { clientConfiguration } from './client-configuration.ts'
import type { Presentation } from './presentation.ts'
import type { Profile, Provider } from './provider.ts'
import { InvalidGrant, rebuilt } from './rebuilt-error.ts'
import { type TokenSet, tokenSetFrom } from './token-set.ts'
import type { TokenTarget } from './token-target.ts'
import { profileFrom, readUserInfo, sameSubject } from './user-info.ts'

/** What a login keeps until its callback (RFC 6749 section 10.12, RFC 7636, OpenID Connect). */
export interface LoginSecrets {
  state: string
  verifier: string
  /** Only where an ID token is expected. */
  nonce?: string | undefined
}

/** What a finished login brings. */
export interface LoginResult {
  tokens: TokenSet
  /** `undefined` when nothing at the provider identifies the user. */
  profile: Profile | undefined
}

/** Milliseconds that a failed discovery is remembered, so that a server in trouble is spared. */
const discoveryCooldown = 5_000

/** Speaks to one provider's authorization server; the protocol itself is openid-client's. */
export class AuthorizationServer {
  readonly provider: Provider
  readonly #timeout: number
  readonly #presentations = new Map<string, Presentation>()
  #configuration: Promise<oauth.Configuration> | undefined

  /** `timeout`: seconds that a request to the server may take. */
  constructor(provider: Provider, timeout: number) {
    this.provider = provider
    this.#timeout = timeout
  }

  /** A fresh state, PKCE verifier and, where an ID token will come, nonce: 256 bits each. */
  newLogin(): LoginSecrets {
    const secrets = { state: oauth.randomState(), verifier: oauth.randomPKCECodeVerifier() }
    return this.provider.definition.discovery ? { ...secrets, nonce: oauth.randomNonce() } : secrets
  }

  /** The authorization request (RFC 6749 section 4.1.1) with PKCE S256 (RFC 7636). */
  async authorizationUrl(
    login: LoginSecrets,
    redirectUri: string,
    scope: readonly string[],
    extra: Readonly<Record<string, string>>,
  ): Promise<URL> {
    return oauth.buildAuthorizationUrl(await this.#configured(), {
      ...this.provider.definition.authorizationParameters,
      ...extra,
      ...scopeParameter(scope),
      ...(login.nonce ? { nonce: login.nonce } : {}),
      response_type: 'code',
      redirect_uri: redirectUri,
      state: login.state,
      code_challenge: await oauth.calculatePKCECodeChallenge(login.verifier),
      code_challenge_method: 'S256',
    })
  }

  /**
   * Checks the authorization response (state; `iss`, RFC 9207), exchanges its code, and asks who
   * the user is. `callback` is the login's redirect URI with the response's parameters.
   */
  async finishLogin(callback: URL, login: LoginSecrets): Promise<LoginResult> {
    const { provider } = this
    const configuration = await this.#configured()
    const sentAt = Date.now()
    try {
      const reply = await oauth.authorizationCodeGrant(configuration, callback, {
        expectedState: login.state,
        pkceCodeVerifier: login.verifier,
        ...(login.nonce ? { expectedNonce: login.nonce } : {}),
      })
      const tokens = tokenSetFrom(reply, sentAt)
      const claims = reply.claims()
      const userInfo = provider.userInfo
        ? await readUserInfo(provider, tokens.accessToken, this.#timeout)
        : await openidUserInfo(configuration, tokens.accessToken, claims?.sub)
      const user = { ...userInfo, ...sameSubject(provider, claims, userInfo) }
      return { tokens, profile: profileFrom(provider, user, reply) }
    } catch (error) {
      const refused = rebuilt(provider.name, error)
      throw refused instanceof InvalidGrant
        ? new CallbackError(provider.name, 'its code is not valid (any more)', 'invalid_grant')
        : refused
    }
  }

  /**
   * Presents a refresh token (RFC 6749 section 6), for a resource of its own where one is named
   * (RFC 8707); throws `InvalidGrant` when it is refused.
   */
  async refresh(
    refreshToken: string,
    { scope, resource }: TokenTarget,
    presented: Presentation,
  ): Promise<TokenSet> {
    const configuration = await this.#configured()
    const sentAt = Date.now()
    if (this.#presentations.has(refreshToken)) {
      throw new ProviderUnavailableError(this.provider.name, 'this refresh token is under way')
    }
    this.#presentations.set(refreshToken, presented)
    try {
      const parameters = resource === undefined ? {} : { resource, ...scopeParameter(scope) }
      const reply = await oauth.refreshTokenGrant(configuration, refreshToken, parameters)
      return tokenSetFrom(reply, sentAt)
    } catch (error) {
      throw rebuilt(this.provider.name, error)
    } finally {
      this.#presentations.delete(refreshToken)
    }
  }

  /** Asks for an access token for the app itself (RFC 6749 section 4.4). */
  async clientCredentials({ scope, resource }: TokenTarget): Promise<TokenSet> {
    const configuration = await this.#configured()
    const sentAt = Date.now()
    try {
      const parameters = {
        ...scopeParameter(scope),
        ...(resource === undefined ? {} : { resource }),
      }
      return tokenSetFrom(await oauth.clientCredentialsGrant(configuration, parameters), sentAt)
    } catch (error) {
      const failed = rebuilt(this.provider.name, error)
      throw failed instanceof InvalidGrant
        ? new ClientMisconfiguredError(this.provider.name, 'invalid_grant')
        : failed
    }
  }

  /** Revokes a token (RFC 7009); does nothing where the server has no revocation endpoint. */
  async revoke(token: string): Promise<void> {
    const configuration = await this.#configured()
    if (!configuration.serverMetadata().revocation_endpoint) return
    try {
      await oauth.tokenRevocation(configuration, token)
    } catch (error) {
      throw rebuilt(this.provider.name, error)
    }
  }

  #configured(): Promise<oauth.Configuration> {
    return (this.#configuration ??= clientConfiguration(
      this.provider,
      this.#timeout,
      this.#presentations,
    ).catch((error: unknown) => {
      setTimeout(() => (this.#configuration = undefined), discoveryCooldown).unref()
      throw rebuilt(this.provider.name, error)
    }))
  }
}

function scopeParameter(scope: readonly string[]): Record<string, string> {
  return scope.length > 0 ? { scope: scope.join(' ') } : {}
}

/** OpenID Connect Core section 5.3.2: the subject must be the ID token's. */
async function openidUserInfo(
  configuration: oauth.Configuration,
  accessToken: string,
  subject: string | undefined,
): Promise<Record<string, unknown>> {
  if (subject === undefined || !configuration.serverMetadata().userinfo_endpoint) return {}
  return { ...(await oauth.fetchUserInfo(configuration, accessToken, subject)) }
}
