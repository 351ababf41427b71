import type { ProviderDefinition, ProviderOptions } from '../provider.ts'
import { normalizeScope } from '../scope.ts'
import { preset } from './preset.ts'

/** Options of {@link google}. */
export interface GoogleOptions extends ProviderOptions {
  /**
   * Asks for a refresh token, for calls when the user is not there; Google shows its consent page at
   * every login then. `false` for an app that only signs users in. Default `true`.
   */
  offline?: boolean | undefined
}

/** Of the APIs that most apps call; others are the option `apiOrigins`. */
const hosts = [
  ...['www', 'openidconnect', 'calendar-json', 'classroom', 'docs', 'drive', 'fitness', 'forms'],
  ...['gmail', 'people', 'photoslibrary', 'photospicker', 'sheets', 'slides', 'tasks', 'youtube'],
]

/** What these are called in token replies. */
const longNames: Readonly<Record<string, string>> = {
  'https://www.googleapis.com/auth/userinfo.email': 'email',
  'https://www.googleapis.com/auth/userinfo.profile': 'profile',
}

/**
 * Google's APIs. Without arguments the client is read from `GOOGLE_CLIENT_ID` and
 * `GOOGLE_CLIENT_SECRET`; `scope` defaults to `openid profile email`.
 *
 * Google gives a refresh token only where `access_type=offline` asks for it and the consent page is
 * shown, and does not rotate it. Revoking one ends all that the user has granted to the app.
 */
export function google(options: GoogleOptions = {}): ProviderDefinition {
  const { offline = true, authorizationParameters, ...overrides } = options
  const settings: ProviderDefinition = {
    issuer: 'https://accounts.google.com',
    apiBaseUrl: 'https://www.googleapis.com/',
    apiOrigins: hosts.map((host) => `https://${host}.googleapis.com`),
    environment: 'GOOGLE',
    discovery: true,
    grantedScope: (name) => longNames[name] ?? name,
    authorizationParameters: {
      // What was granted before stays granted when a login asks for one scope more.
      include_granted_scopes: 'true',
      ...(offline ? { access_type: 'offline', prompt: 'consent' } : {}),
      ...authorizationParameters,
    },
  }
  const scope = ['openid', ...normalizeScope(options.scope ?? ['profile', 'email'])]
  return preset(settings, { ...overrides, scope })
}
