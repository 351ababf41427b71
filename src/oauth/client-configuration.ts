import * as oauth from 'openid-client'
import { ConfigError } from '../errors.ts'
import { signingKey } from './client-key.ts'
import { type Presentation, presentation } from './presentation.ts'
import type { Provider } from './provider.ts'
import { providerFetch, tokenFetch } from './provider-fetch.ts'

/**
 * Makes openid-client's configuration of a provider: from the endpoints given, or from the
 * metadata that its issuer publishes (RFC 8414, OpenID Connect Discovery). `timeout` in seconds.
 * `presentations`, by refresh token, go along with the requests that present them: openid-client
 * hands on nothing but a request's parameters.
 */
export async function clientConfiguration(
  provider: Provider,
  timeout: number,
  presentations: ReadonlyMap<string, Presentation>,
): Promise<oauth.Configuration> {
  const configuration = provider.definition.discovery
    ? await discover(provider, timeout)
    : new oauth.Configuration(
        metadataOf(provider),
        provider.clientId,
        {},
        await authentication(provider),
      )
  const metadata = configuration.serverMetadata()
  if (metadata.code_challenge_methods_supported?.includes('S256') === false) {
    throw new ConfigError(
      `providers.${provider.name}: the server does not offer PKCE with S256, and nothing weaker is used.`,
    )
  }
  if (isPlain(provider)) oauth.allowInsecureRequests(configuration)
  oauth.enableNonRepudiationChecks(configuration)
  // Compared as openid-client writes it.
  const tokenEndpoint = metadata.token_endpoint && new URL(metadata.token_endpoint).href
  configuration[oauth.customFetch] = (url, init) => {
    if (url !== tokenEndpoint) return providerFetch(provider, timeout, url, init as RequestInit)
    const { body } = init
    const refreshToken = body instanceof URLSearchParams ? body.get('refresh_token') : null
    const presented = presentations.get(refreshToken ?? '')
    return tokenFetch(provider, timeout, url, {
      ...(init as RequestInit),
      ...(presented ? { [presentation]: presented } : {}),
    })
  }
  return configuration
}

async function discover(provider: Provider, timeout: number): Promise<oauth.Configuration> {
  const issuer = new URL(provider.issuer)
  return oauth.discovery(issuer, provider.clientId, {}, await authentication(provider), {
    [oauth.customFetch]: (url, init) => providerFetch(provider, timeout, url, init as RequestInit),
    execute: isPlain(provider) ? [oauth.allowInsecureRequests] : [],
  })
}

/** Plain http was let through for this machine only; metadata must not widen that for https. */
function isPlain({ issuer }: Provider): boolean {
  return new URL(issuer).protocol === 'http:'
}

function metadataOf({ definition, issuer }: Provider): oauth.ServerMetadata {
  const { authorizationEndpoint, tokenEndpoint, revocationEndpoint } = definition
  const { pushedAuthorizationRequestEndpoint: par, deviceAuthorizationEndpoint: device } =
    definition
  const { endSessionEndpoint } = definition
  return {
    issuer,
    ...(authorizationEndpoint ? { authorization_endpoint: authorizationEndpoint } : {}),
    ...(tokenEndpoint ? { token_endpoint: tokenEndpoint } : {}),
    ...(revocationEndpoint ? { revocation_endpoint: revocationEndpoint } : {}),
    ...(par ? { pushed_authorization_request_endpoint: par } : {}),
    ...(device ? { device_authorization_endpoint: device } : {}),
    ...(endSessionEndpoint ? { end_session_endpoint: endSessionEndpoint } : {}),
  }
}

async function authentication(provider: Provider): Promise<oauth.ClientAuth> {
  const { clientAuthentication, clientSecret, clientKey } = provider
  switch (clientAuthentication) {
    case 'private_key_jwt': {
      const { key, kid } = await signingKey(clientKey!)
      return oauth.PrivateKeyJwt(kid === undefined ? { key } : { key, kid })
    }
    case 'client_secret_basic':
      return oauth.ClientSecretBasic(clientSecret)
    case 'client_secret_post':
      return oauth.ClientSecretPost(clientSecret)
    case 'none':
      return oauth.None()
  }
}
