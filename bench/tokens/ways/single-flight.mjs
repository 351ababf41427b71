import { sharedTokens } from './shared-tokens.mjs'

/** In a process whoever comes while a refresh is under way waits for it. */
export function keeper(settings) {
  const { logIn, expire, read, isValid, refresh } = sharedTokens(settings)
  let flight
  const getAccessToken = async () => {
    const tokens = await read()
    if (isValid(tokens)) return tokens.accessToken
    flight ??= refresh(tokens).finally(() => {
      flight = undefined
    })
    return flight
  }
  return { logIn, expire, getAccessToken }
}
