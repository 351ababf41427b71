import type { ProviderDefinition, ProviderOptions } from '../provider.ts'

/** Options of {@link oidc}. */
export interface OidcOptions extends ProviderOptions {
  issuer: string
}

/**
 * Any OpenID Connect provider, described by its issuer: the endpoints are discovered at first use,
 * the ID token's signature and claims are checked (OpenID Connect Core section 3.1.3.7).
 *
 * `scope` defaults to `openid profile email`; `openid` is added to a list without it.
 */
export function oidc(options: OidcOptions): ProviderDefinition {
  const scope = options.scope ?? ['openid', 'profile', 'email']
  return {
    ...options,
    discovery: true,
    scope: ['openid', ...(typeof scope === 'string' ? [scope] : scope)],
  }
}
