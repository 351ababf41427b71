import * as oauth from 'openid-client'
import type { AuthorizationServer } from './authorization-server.ts'
import { isSecure } from './provider.ts'

/**
 * Where the browser ends the user's session at the provider (OpenID Connect RP-Initiated Logout 1.0),
 * and is led back to `backTo` from; `undefined` where the provider has no such place, or cannot be asked.
 */
export async function endSessionUrl(
  server: AuthorizationServer,
  idToken: string | undefined,
  backTo: string,
): Promise<URL | undefined> {
  // Whoever logs out here is logged out, whatever becomes of the provider.
  const configuration = await server.configured().catch(() => undefined)
  if (!configuration?.serverMetadata().end_session_endpoint) return undefined
  const hint = idToken === undefined ? {} : { id_token_hint: idToken }
  try {
    const parameters = { post_logout_redirect_uri: backTo, ...hint }
    const url = oauth.buildEndSessionUrl(configuration, parameters)
    return isSecure(url) ? url : undefined
  } catch {
    return undefined
  }
}
