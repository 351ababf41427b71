import { sharedTokens } from './shared-tokens.mjs'

/** Whoever finds the token expired refreshes it. */
export function keeper(settings) {
  const { logIn, expire, read, isValid, refresh } = sharedTokens(settings)
  const getAccessToken = async () => {
    const tokens = await read()
    return isValid(tokens) ? tokens.accessToken : refresh(tokens)
  }
  return { logIn, expire, getAccessToken }
}
