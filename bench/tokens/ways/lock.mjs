import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedTokens } from './shared-tokens.mjs'

const lock = 'lock:ada'
const release = `if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end`

/** A single flight in each process, and over all of them a lock; nobody looks again under it. */
export function keeper(settings) {
  const { redis, logIn, expire, read, isValid, refresh } = sharedTokens(settings)
  let flight

  async function refreshLocked(tokens) {
    const owner = randomUUID()
    while (!(await redis.set(lock, owner, 'PX', 10_000, 'NX'))) await sleep(20)
    try {
      return await refresh(tokens)
    } finally {
      await redis.eval(release, 1, lock, owner)
    }
  }

  const getAccessToken = async () => {
    const tokens = await read()
    if (isValid(tokens)) return tokens.accessToken
    flight ??= refreshLocked(tokens).finally(() => {
      flight = undefined
    })
    return flight
  }
  return { logIn, expire, getAccessToken }
}
