import { afterEach, expect, test, vi } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor, loginAs } from '../../src/testing/index.ts'
import { createApp, useWorld } from '../middleware/express-app.ts'

const world = useWorld()
afterEach(() => void vi.restoreAllMocks())

const hour = 3_600

/** So many seconds later by the server's clock; the provider's tokens are still good. */
function later(seconds: number): void {
  vi.restoreAllMocks()
  const now = Date.now() + seconds * 1000
  vi.spyOn(Date, 'now').mockImplementation(() => now)
}

/** Writes of a store after the login. */
function countedStore() {
  const store = memoryStore()
  const swap = store.compareAndSwap.bind(store)
  const writes = { count: 0 }
  store.compareAndSwap = (...args) => {
    writes.count += 1
    return swap(...args)
  }
  return { store, writes }
}

async function session(grantTtl: { idle?: number; absolute?: number }) {
  const { store, writes } = countedStore()
  const made = createApp(world, { cache: false, options: { grantTtl, store } })
  const ada = made.browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  const connected = async () => {
    const { body } = await ada.get('/auth/session')
    await made.auth.close()
    return body.providers.spotify.connected as boolean
  }
  writes.count = 0
  return { connected, writes }
}

test('SE-08 a session’s grant ends when nobody uses it for its idle time, and lives on while somebody does', async () => {
  const { connected, writes } = await session({ idle: hour })
  for (const seconds of [0.5 * hour, 1.4 * hour, 2.3 * hour, 2.35 * hour]) {
    later(seconds)
    expect(await connected()).toBe(true)
  }
  // Uses are noted to a tenth of the idle time: the last one was not.
  expect(writes.count).toBe(3)
  later(3.31 * hour)
  expect(await connected()).toBe(false)
})

test('SE-08 CVE-2024-35220 no use extends a session’s grant beyond its absolute end', async () => {
  const { connected } = await session({ idle: hour, absolute: 2 * hour })
  for (const seconds of [0.9 * hour, 1.8 * hour]) {
    later(seconds)
    expect(await connected()).toBe(true)
  }
  later(2.01 * hour)
  expect(await connected()).toBe(false)
})

test('without an idle time nothing is written for a request, and the grant of a user has none', async () => {
  const { connected, writes } = await session({})
  later(29 * 24 * hour)
  expect(await connected()).toBe(true)
  expect(writes.count).toBe(0)

  const { auth } = createApp(world, {
    options: { grantTtl: { idle: hour }, user: (req) => req['app-user'] },
  })
  vi.restoreAllMocks()
  await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
  later(29 * 24 * hour)
  expect(await (await auth.forUser('u1')).tokens['spotify']!.grant()).toBeDefined()
})
