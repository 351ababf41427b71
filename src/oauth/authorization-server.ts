import * as oauth from 'openid-client'
import { CallbackError, ClientMisconfiguredError, ProviderUnavailableError } from '../errors.ts'
import { Recent } from '../recent.ts'
import { clientConfiguration } from './client-configuration.ts'
import { type DpopKey, dpopKeyPair, newDpopKey } from './dpop.ts'
import type { Presentation } from './presentation.ts'
import type { Profile, Provider, RevokedTokens } from './provider.ts'
import { providerFetch } from './provider-fetch.ts'
import { checkAccessTokenHash, checkType, type KeptIdToken, keptOf } from './id-token.ts'
import { InvalidGrant, rebuilt } from './rebuilt-error.ts'
import { type TokenResponse, type TokenSet, tokenSetFrom } from './token-set.ts'
import type { TokenTarget } from './token-target.ts'
import { whoIs } from './user-info.ts'

/** What a login keeps until its callback (RFC 6749 section 10.12, RFC 7636, OpenID Connect). */
export interface LoginSecrets {
  state: string
  verifier: string
  /** Only where an ID token is expected. */
  nonce?: string | undefined
  /** Seconds since the user must have proved who they are, where that was asked. */
  maxAge?: number | undefined
}

/** What a finished login brings. */
export interface LoginResult extends KeptIdToken {
  tokens: TokenSet
  /** `undefined` when nothing at the provider identifies the user. */
  profile: Profile | undefined
  /** The key that the tokens are bound to, where the provider has `dpop`. */
  dpopKey?: DpopKey | undefined
}

/** A token reply with openid-client's helpers. */
export type TokenReply = TokenResponse & oauth.TokenEndpointResponseHelpers

/** Milliseconds that a failed discovery is remembered, so that a server in trouble is spared. */
const discoveryCooldown = 5_000

/** Speaks to one provider's authorization server; the protocol itself is openid-client's. */
export class AuthorizationServer {
  readonly provider: Provider
  /** Seconds that a request to it may take. */
  readonly timeout: number
  readonly #presentations = new Map<string, Presentation>()
  readonly #handles = new Recent<Promise<oauth.DPoPHandle>>(1_000)
  #configuration: Promise<oauth.Configuration> | undefined

  constructor(provider: Provider, timeout: number) {
    this.provider = provider
    this.timeout = timeout
  }

  /** A fresh state, PKCE verifier and, where an ID token will come, nonce: 256 bits each. */
  newLogin(maxAge: number | undefined = this.provider.definition.maxAge): LoginSecrets {
    const secrets = { state: oauth.randomState(), verifier: oauth.randomPKCECodeVerifier(), maxAge }
    return this.provider.definition.discovery ? { ...secrets, nonce: oauth.randomNonce() } : secrets
  }

  /**
   * The authorization request (RFC 6749 section 4.1.1) with PKCE S256 (RFC 7636); pushed to the
   * server from here (RFC 9126) where it wants that, or the app does.
   */
  async authorizationUrl(
    login: LoginSecrets,
    redirectUri: string,
    scope: readonly string[],
    extra: Readonly<Record<string, string>>,
  ): Promise<URL> {
    const configuration = await this.configured()
    const parameters = new URLSearchParams({
      ...this.provider.definition.authorizationParameters,
      ...extra,
      ...this.#scope(scope),
      ...(login.nonce ? { nonce: login.nonce } : {}),
      ...(login.maxAge === undefined ? {} : { max_age: String(login.maxAge) }),
      response_type: 'code',
      redirect_uri: redirectUri,
      state: login.state,
      code_challenge: await oauth.calculatePKCECodeChallenge(login.verifier),
      code_challenge_method: 'S256',
    })
    for (const resource of this.provider.resources) parameters.append('resource', resource)
    const { require_pushed_authorization_requests: required } = configuration.serverMetadata()
    const isPushed = this.provider.definition.pushedAuthorizationRequests ?? required
    try {
      return isPushed
        ? await oauth.buildAuthorizationUrlWithPAR(configuration, parameters)
        : oauth.buildAuthorizationUrl(configuration, parameters)
    } catch (error) {
      return this.#fail(error)
    }
  }

  /**
   * Checks the authorization response (state; `iss`, RFC 9207), exchanges its code, and asks who
   * the user is. `callback` is the login's redirect URI with the response's parameters.
   */
  async finishLogin(callback: URL, login: LoginSecrets): Promise<LoginResult> {
    const configuration = await this.configured()
    const sentAt = Date.now()
    const dpopKey = this.#newKey()
    try {
      const checks = {
        expectedState: login.state,
        pkceCodeVerifier: login.verifier,
        ...(login.nonce ? { expectedNonce: login.nonce } : {}),
        ...(login.maxAge === undefined ? {} : { maxAge: login.maxAge }),
      }
      const reply = await oauth.authorizationCodeGrant(
        configuration,
        callback,
        checks,
        this.#resource(undefined),
        await this.#bound(dpopKey),
      )
      return await this.loginResult(reply, sentAt, dpopKey)
    } catch (error) {
      const refused = rebuilt(this.provider.name, error)
      throw refused instanceof InvalidGrant
        ? new CallbackError(this.provider.name, 'its code is not valid (any more)', 'invalid_grant')
        : refused
    }
  }

  /** What a user's login has brought, by whichever grant; `sentAt`: when it was asked for, epoch ms. */
  async loginResult(
    reply: TokenReply,
    sentAt: number,
    dpopKey: DpopKey | undefined,
  ): Promise<LoginResult> {
    const { name, definition } = this.provider
    const tokens = tokenSetFrom(reply, sentAt, definition)
    const claims = reply.claims()
    if (claims && reply.id_token) {
      checkType(name, reply.id_token)
      checkAccessTokenHash(name, reply.id_token, claims, tokens.accessToken)
    }
    const profile = await whoIs(this, reply, dpopKey)
    const kept = keptOf(reply.id_token, claims, definition.endSession === true)
    return { tokens, profile, dpopKey, ...kept }
  }

  /**
   * Presents a refresh token (RFC 6749 section 6), for a resource of its own where one is named
   * (RFC 8707); throws `InvalidGrant` when it is refused.
   */
  async refresh(
    refreshToken: string,
    { scope, resource }: TokenTarget,
    presented: Presentation,
    dpopKey?: DpopKey,
  ): Promise<TokenSet> {
    const configuration = await this.configured()
    const sentAt = Date.now()
    if (this.#presentations.has(refreshToken)) {
      throw new ProviderUnavailableError(this.provider.name, 'this refresh token is under way')
    }
    this.#presentations.set(refreshToken, presented)
    try {
      const narrowed = resource === undefined ? {} : this.#scope(scope)
      const reply = await oauth.refreshTokenGrant(
        configuration,
        refreshToken,
        { ...this.#resource(resource), ...narrowed },
        await this.#bound(dpopKey),
      )
      return tokenSetFrom(reply, sentAt, this.provider.definition)
    } catch (error) {
      throw rebuilt(this.provider.name, error)
    } finally {
      this.#presentations.delete(refreshToken)
    }
  }

  /** Asks for an access token for the app itself (RFC 6749 section 4.4). */
  async clientCredentials({ scope, resource }: TokenTarget, dpopKey?: DpopKey): Promise<TokenSet> {
    const configuration = await this.configured()
    const sentAt = Date.now()
    try {
      const reply = await oauth.clientCredentialsGrant(
        configuration,
        { ...this.#scope(scope), ...this.#resource(resource) },
        await this.#bound(dpopKey),
      )
      return tokenSetFrom(reply, sentAt, this.provider.definition)
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** A grant of another kind (RFC 6749 section 4.5); its reply, and when it was asked for. */
  async otherGrant(
    grantType: string,
    parameters: URLSearchParams,
    dpopKey?: DpopKey,
  ): Promise<{ reply: TokenReply; sentAt: number }> {
    const configuration = await this.configured()
    const sentAt = Date.now()
    try {
      const bound = await this.#bound(dpopKey)
      const reply = await oauth.genericGrantRequest(configuration, grantType, parameters, bound)
      return { reply, sentAt }
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** Revokes tokens (RFC 7009); does nothing where the server has no way to. */
  async revoke({ accessToken, refreshToken }: RevokedTokens): Promise<void> {
    const { definition, clientId, clientSecret } = this.provider
    if (definition.revocationRequest) {
      const tokens = { accessToken, refreshToken }
      const request = definition.revocationRequest(tokens, { clientId, clientSecret })
      if (request) await this.#send(request)
      return
    }
    const configuration = await this.configured()
    if (!configuration.serverMetadata().revocation_endpoint) return
    try {
      await oauth.tokenRevocation(configuration, refreshToken ?? accessToken)
    } catch (error) {
      throw rebuilt(this.provider.name, error)
    }
  }

  /** openid-client's configuration; discovered at first use, and again after a failure. */
  configured(): Promise<oauth.Configuration> {
    return (this.#configuration ??= clientConfiguration(
      this.provider,
      this.timeout,
      this.#presentations,
    ).catch((error: unknown) => {
      setTimeout(() => (this.#configuration = undefined), discoveryCooldown).unref()
      throw rebuilt(this.provider.name, error)
    }))
  }

  /** openid-client's handle of a key; it remembers the server's last nonce for that key alone. */
  async dpopHandle(key: DpopKey): Promise<oauth.DPoPHandle> {
    const configuration = await this.configured()
    return this.#handles.getOrMake(key.x, () =>
      dpopKeyPair(key).then((pair) => oauth.getDPoPHandle(configuration, pair)),
    )
  }

  #newKey(): DpopKey | undefined {
    return this.provider.definition.dpop ? newDpopKey() : undefined
  }

  async #bound(key: DpopKey | undefined): Promise<oauth.DPoPOptions> {
    return key === undefined ? {} : { DPoP: await this.dpopHandle(key) }
  }

  #scope(scope: readonly string[]): Record<string, string> {
    return scopeParameter(this.provider, scope)
  }

  #resource(resource: string | undefined): Record<string, string> {
    const named = resource ?? this.provider.resources[0]
    return named === undefined ? {} : { resource: named }
  }

  async #send(request: Request): Promise<void> {
    const { method, url, headers } = request
    const body = await request.text()
    const init = { method, headers, ...(body ? { body } : {}) }
    await providerFetch(this.provider, this.timeout, url, init)
  }

  #fail(error: unknown): never {
    const { name } = this.provider
    const failed = rebuilt(name, error)
    throw failed instanceof InvalidGrant
      ? new ClientMisconfiguredError(name, 'invalid_grant')
      : failed
  }
}

/** The parameter `scope` as this provider wants it written; none for no scope. */
export function scopeParameter(
  { definition }: Provider,
  scope: readonly string[],
): Record<string, string> {
  return scope.length > 0 ? { scope: scope.join(definition.scopeSeparator ?? ' ') } : {}
}
