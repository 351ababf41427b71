export { github, type GitHubOptions } from './github.ts'
export { google, type GoogleOptions } from './google.ts'
export { microsoft, type MicrosoftOptions } from './microsoft.ts'
export { oauth2, type OAuth2Options } from './oauth2.ts'
export { oidc, type OidcOptions } from './oidc.ts'
export { spotify, type SpotifyOptions } from './spotify.ts'
export { spotifyScopes } from './spotify-scopes.ts'
export { spotifySdkAuth, type SpotifySdkAuth, type SpotifySdkToken } from './spotify-sdk.ts'
export { normalizeScope } from '../scope.ts'
export type { ClientKey } from '../client-key.ts'
export type { RetryOptions } from '../retry.ts'
export type {
  ClientAuthentication,
  Paging,
  Profile,
  ProviderDefinition,
  ProviderOptions,
} from '../provider.ts'
