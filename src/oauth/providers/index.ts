export { oauth2, type OAuth2Options } from './oauth2.ts'
export { oidc, type OidcOptions } from './oidc.ts'
export { spotify, type SpotifyOptions } from './spotify.ts'
export { spotifySdkAuth, type SpotifySdkAuth, type SpotifySdkToken } from './spotify-sdk.ts'
export { normalizeScope } from '../scope.ts'
export type {
  ClientAuthentication,
  Paging,
  Profile,
  ProviderDefinition,
  ProviderOptions,
} from '../provider.ts'
