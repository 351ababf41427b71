import { mannersOf } from './provider-manners.ts'
import type { ProviderState } from './provider-state.ts'
import { jsonReply } from '../server/raw-reply.ts'
import type { RawReply } from '../server/raw-reply.ts'

/** Authorization server metadata (RFC 8414, OpenID Connect Discovery), or what the switch says. */
export function answerDiscovery({ issuer, switches }: ProviderState, path: string): RawReply {
  const metadata = mannersOf(switches.like).metadata(metadataOf(issuer))
  if (typeof switches.discovery === 'function') return switches.discovery(metadata)
  switch (switches.discovery) {
    case 'works':
      return jsonReply(metadata)
    case 'unavailable':
      return jsonReply({ error: 'temporarily_unavailable' }, 503)
    case 'hangs':
      return { delivery: 'never' }
    case 'redirects':
      return { status: 302, headers: { location: `/redirected${path}` } }
    case 'wrong-issuer':
      return jsonReply({ ...metadata, issuer: 'https://another-issuer.example' })
  }
}

function metadataOf(issuer: string): Record<string, unknown> {
  const clientAuthentication = ['client_secret_basic', 'client_secret_post', 'none']
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/revoke`,
    introspection_endpoint: `${issuer}/introspect`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    scopes_supported: ['openid', 'profile', 'email'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: clientAuthentication,
    revocation_endpoint_auth_methods_supported: clientAuthentication,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  }
}
