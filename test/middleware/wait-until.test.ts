import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBehalf } from '../../src/middleware/behalf.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor } from '../../src/testing/index.ts'
import { secret, useWorld } from './express-app.ts'

const world = useWorld()
beforeEach(() => world.provider.reset())
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** Somebody whose access token will do for half a minute, at a provider that takes its time. */
async function soonOver(waitUntil?: (work: Promise<unknown>) => void) {
  world.provider.switches.expiresIn = 150
  const auth = createBehalf({
    secret,
    store: memoryStore(),
    providers: { spotify: world.spotify },
    user: () => undefined,
    ...(waitUntil ? { waitUntil } : {}),
  })
  await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
  const { tokens } = await auth.forUser('u1')
  const before = await tokens.spotify.getAccessToken()
  const now = Date.now() + 130_000
  vi.spyOn(Date, 'now').mockImplementation(() => now)
  world.provider.switches.delay = 0.2
  return { auth, before, get: () => tokens.spotify.getAccessToken() }
}

test.each([['AWS_LAMBDA_FUNCTION_NAME'], ['VERCEL']])(
  'without waitUntil a refresh that was begun is awaited on %s, by who began it',
  async (variable) => {
    vi.stubEnv(variable, '1')
    const { before, get } = await soonOver()
    const first = get()
    await vi.waitFor(() => expect(world.provider.seen.refreshRequests).toBe(1))
    expect(await get()).toBe(before)
    const fresh = await first
    expect(fresh).not.toBe(before)
    expect(world.provider.accountOf(fresh)).toMatchObject({ userId: 'ada' })
  },
)

test('a refresh that fails there costs nobody the token that is still valid', async () => {
  vi.stubEnv('VERCEL', '1')
  const { before, get } = await soonOver()
  world.provider.switches.tokenEndpoint = () => ({ status: 503, headers: {}, body: '' })
  expect(await get()).toBe(before)
})

test('elsewhere, and with waitUntil, nobody waits for what he does not need', async () => {
  const { auth, before, get } = await soonOver()
  expect(await get()).toBe(before)
  await auth.close()

  vi.restoreAllMocks()
  world.provider.reset()
  vi.stubEnv('VERCEL', '1')
  const work: Promise<unknown>[] = []
  const kept = await soonOver((one) => void work.push(one))
  expect(await kept.get()).toBe(kept.before)
  expect(work).toHaveLength(1)
  await work[0]
  expect(await kept.get()).not.toBe(kept.before)
})
