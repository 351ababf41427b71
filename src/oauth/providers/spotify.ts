import type { CacheRules } from '../../cache/rules/rules.ts'
import type { Profile, ProviderDefinition, ProviderOptions } from '../provider.ts'
import { preset } from './preset.ts'

/** Options of {@link spotify}. */
export interface SpotifyOptions extends ProviderOptions {
  /** Asks the user to approve at every login (`show_dialog`). Default `false`. */
  showDialog?: boolean | undefined
}

/** Six months from authorization; refreshing does not extend it. */
const refreshTokenLifetime = 182 * 24 * 3600

/**
 * Spotify's Web API. Without arguments the client is read from `SPOTIFY_CLIENT_ID` and
 * `SPOTIFY_CLIENT_SECRET`; without a secret the app is a public client.
 *
 * Spotify refuses redirect URIs on `localhost`, so `baseUrl` has to be `http://127.0.0.1:<port>`
 * during development.
 */
export function spotify(options: SpotifyOptions = {}): ProviderDefinition {
  const { showDialog, authorizationParameters, ...overrides } = options
  const settings: ProviderDefinition = {
    issuer: 'https://accounts.spotify.com',
    authorizationEndpoint: 'https://accounts.spotify.com/authorize',
    tokenEndpoint: 'https://accounts.spotify.com/api/token',
    apiBaseUrl: 'https://api.spotify.com/v1/',
    userInfo: 'me',
    environment: 'SPOTIFY',
    refreshTokenLifetime,
    rateLimitedBy: 'client',
    checkRedirectUri,
    profile,
    rules,
    authorizationParameters: {
      ...(showDialog ? { show_dialog: 'true' } : {}),
      ...authorizationParameters,
    },
  }
  return preset(settings, overrides)
}

const hour = 3600

/** The same for everybody in a market, and so fetched once for all of them. */
const catalogue = { ttl: hour, as: 'app', fromProfile: { market: 'country' } } as const

/**
 * What changes rarely. Shows, episodes and audiobooks hold how far a user has listened, and so are of
 * that user. What the user edits (saved tracks, playlists) has no rule.
 */
const rules: CacheRules = [
  { match: '/v1/me', ttl: 300 },
  { match: '/v1/me/top/*', ttl: hour },
  { match: '/v1/:kind(albums|artists|tracks)', ...catalogue },
  { match: '/v1/:kind(albums|artists|tracks)/*', ...catalogue },
  { match: '/v1/:kind(shows|episodes|audiobooks)', ttl: hour },
  { match: '/v1/:kind(shows|episodes|audiobooks)/*', ttl: hour },
]

function profile(user: Readonly<Record<string, unknown>>): Profile {
  const images = Array.isArray(user['images']) ? user['images'] : []
  return {
    subject: text(user['id']) ?? '',
    name: text(user['display_name']),
    email: text(user['email']),
    picture: text((images[0] as { url?: unknown } | undefined)?.url),
    country: text(user['country']),
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function checkRedirectUri(uri: URL): string | undefined {
  if (uri.hostname !== 'localhost') return undefined
  const fixed = new URL(uri)
  fixed.hostname = '127.0.0.1'
  return (
    `Spotify refuses redirect URIs on localhost. Set baseUrl to ${fixed.origin}, open the app there, ` +
    `and register ${fixed.href} in Spotify's dashboard.`
  )
}
