import { Redis } from 'ioredis'
import * as openid from 'openid-client'

const key = 'tokens:ada'

/** One user's tokens in Redis, and openid-client to replace them. */
export function sharedTokens({ store, issuer, tokenEndpoint, clientId, clientSecret }) {
  const redis = new Redis(store)
  const metadata = { issuer, token_endpoint: tokenEndpoint }
  const config = new openid.Configuration(metadata, clientId, clientSecret)
  openid.allowInsecureRequests(config)
  const read = async () => JSON.parse(await redis.get(key))
  const write = (tokens) => redis.set(key, JSON.stringify(tokens))
  return {
    redis,
    read,
    logIn: write,
    expire: async () => write({ ...(await read()), expiresAt: Date.now() - 1 }),
    isValid: ({ expiresAt }) => expiresAt > Date.now(),
    /** Gives the new access token, which is stored by then. */
    refresh: async ({ refreshToken }) => {
      const reply = await openid.refreshTokenGrant(config, refreshToken)
      await write({
        accessToken: reply.access_token,
        refreshToken: reply.refresh_token ?? refreshToken,
        expiresAt: Date.now() + reply.expires_in * 1000,
      })
      return reply.access_token
    },
  }
}
