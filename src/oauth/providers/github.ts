import type {
  Profile,
  ProviderDefinition,
  ProviderOptions,
  RevokedTokens,
  RevokingClient,
} from '../provider.ts'
import { preset } from './preset.ts'

/** Options of {@link github}. */
export interface GitHubOptions extends ProviderOptions {
  /** The address of a GitHub Enterprise Server, such as `https://github.example.com`. */
  enterpriseUrl?: string | undefined
}

/** Refused codes and tokens come with status 200. */
const errorsWithSuccess = {
  bad_verification_code: 'invalid_grant',
  bad_refresh_token: 'invalid_grant',
  incorrect_device_code: 'invalid_grant',
  incorrect_client_credentials: 'invalid_client',
  redirect_uri_mismatch: 'invalid_request',
  device_flow_disabled: 'unauthorized_client',
  unverified_user_email: 'access_denied',
  unsupported_grant_type: 'unsupported_grant_type',
  authorization_pending: 'authorization_pending',
  slow_down: 'slow_down',
  expired_token: 'expired_token',
  access_denied: 'access_denied',
}

/**
 * GitHub, for OAuth apps and GitHub Apps. Without arguments the client is read from
 * `GITHUB_CLIENT_ID` and `GITHUB_CLIENT_SECRET`.
 *
 * Tokens of OAuth apps do not expire and are not refreshed. Those of GitHub Apps live for 8 hours,
 * their refresh tokens, which rotate, for 6 months from the last refresh. A logout ends the one token,
 * not all that the user has granted.
 */
export function github(options: GitHubOptions = {}): ProviderDefinition {
  const { enterpriseUrl, ...overrides } = options
  const web = enterpriseUrl === undefined ? 'https://github.com' : new URL(enterpriseUrl).origin
  const apiBaseUrl = enterpriseUrl === undefined ? 'https://api.github.com/' : `${web}/api/v3/`
  const settings: ProviderDefinition = {
    issuer: `${web}/login/oauth`,
    authorizationEndpoint: `${web}/login/oauth/authorize`,
    tokenEndpoint: `${web}/login/oauth/access_token`,
    deviceAuthorizationEndpoint: `${web}/login/device/code`,
    apiBaseUrl,
    userInfo: 'user',
    environment: 'GITHUB',
    scopeSeparator: ',',
    paging: 'link',
    errorsWithSuccess,
    revocationRequest: (tokens, client) =>
      deletion(options.apiBaseUrl ?? apiBaseUrl, tokens, client),
    profile,
  }
  return preset(settings, overrides)
}

/** GitHub's own way (REST API, "Delete an app token"); a public client cannot. */
function deletion(
  apiBaseUrl: string,
  { accessToken }: RevokedTokens,
  { clientId, clientSecret }: RevokingClient,
): Request | undefined {
  if (clientSecret === undefined) return undefined
  const base = apiBaseUrl.endsWith('/') ? apiBaseUrl : `${apiBaseUrl}/`
  const credentials = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  return new Request(new URL(`applications/${encodeURIComponent(clientId)}/token`, base), {
    method: 'DELETE',
    headers: {
      authorization: `Basic ${credentials}`,
      accept: 'application/vnd.github+json',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ access_token: accessToken }),
  })
}

/** The number, because a login name can be given up and taken by somebody else. */
function profile(user: Readonly<Record<string, unknown>>): Profile {
  const { id, login, name, email, avatar_url: picture } = user
  return {
    subject: typeof id === 'number' ? String(id) : '',
    name: text(name) ?? text(login),
    email: text(email),
    picture: text(picture),
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
