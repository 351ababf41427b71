import { LoginRequiredError, ReauthRequiredError } from '../../errors.ts'
import type { TokenHandler } from '../token-handler.ts'

/** An access token in the form of Spotify's SDK. */
export interface SpotifySdkToken {
  access_token: string
  token_type: 'Bearer'
  /** Seconds from now. */
  expires_in: number
  /** Always empty: refreshing is not the SDK's business. */
  refresh_token: ''
  /** When it expires, epoch ms; `Infinity` when Spotify did not say. */
  expires: number
}

/** What `SpotifyApi` of `@spotify/web-api-ts-sdk` asks of an auth strategy (its `IAuthStrategy`). */
export interface SpotifySdkAuth {
  setConfiguration(): void
  /** Throws what `tokens.getAccessToken()` throws. */
  getOrCreateAccessToken(): Promise<SpotifySdkToken>
  /** `null` when nobody is logged in. */
  getAccessToken(): Promise<SpotifySdkToken | null>
  /** Nothing; see {@link spotifySdkAuth}. */
  removeAccessToken(): void
}

/**
 * Lets `@spotify/web-api-ts-sdk` act for the user of a request:
 *
 *     new SpotifyApi(spotifySdkAuth(req.tokens.spotify), { fetch: req.api.spotify.fetch })
 *
 * Each call asks for the token anew, so that it is always valid, and the SDK keeps none: an instance
 * belongs to the request whose `tokens` it was given. The SDK's `logOut()` has no effect, because it
 * cannot wait for the grant to end; `req.tokens.spotify.disconnect()` does.
 */
export function spotifySdkAuth(tokens: Pick<TokenHandler, 'live'>): SpotifySdkAuth {
  const currentToken = async () => {
    // The token and its end in one read of the store.
    const { accessToken, expiresAt = Infinity } = (await tokens.live()).record.tokens
    return sdkToken(accessToken, expiresAt)
  }
  return {
    // The configuration holds the cache in which the SDK's own strategies keep their tokens.
    setConfiguration: () => {},
    getOrCreateAccessToken: currentToken,
    getAccessToken: () => currentToken().catch(nothingWithoutLogin),
    removeAccessToken: () => {},
  }
}

function sdkToken(accessToken: string, expiresAt: number): SpotifySdkToken {
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: Math.max(0, Math.floor((expiresAt - Date.now()) / 1000)),
    refresh_token: '',
    expires: expiresAt,
  }
}

function nothingWithoutLogin(error: unknown): null {
  if (error instanceof LoginRequiredError || error instanceof ReauthRequiredError) return null
  throw error
}
