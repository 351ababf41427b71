import type { ProviderDefinition, ProviderOptions } from '../provider.ts'

/** Options of {@link oauth2}. */
export interface OAuth2Options extends ProviderOptions {
  authorizationEndpoint: string
  tokenEndpoint: string
}

/**
 * Any OAuth 2 authorization server, described by its endpoints.
 *
 * Without `issuer` the origin of `authorizationEndpoint` is taken for it; an `iss` parameter in the
 * callback is compared with it (RFC 9207). Without `userInfo` and `profile` every login counts as a
 * new subject.
 */
export function oauth2(options: OAuth2Options): ProviderDefinition {
  return { ...options }
}
