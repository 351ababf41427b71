import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { createBehalf } from '../../src/index.ts'
import { responseCache } from '../../src/middleware/express.ts'
import { spotify } from '../../src/oauth/providers/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor } from '../../src/testing/index.ts'
import { baseUrl, secret, useWorld } from './express-app.ts'

const world = useWorld()

const usual = {
  rules: { '/v1/me': 60 },
  repositories: { tracks: { match: '/v1/tracks/:id', key: ['id'], ttl: 60 } },
}

async function appFor(...users: string[]) {
  const cache = responseCache(usual)
  const auth = createBehalf({
    baseUrl,
    secret,
    store: memoryStore(),
    user: () => undefined,
    cache,
    providers: {
      spotify: spotify({ ...world.provider.overrides, apiBaseUrl: world.api.baseUrl }),
    },
  })
  await Promise.all(users.map((user) => grantFor(auth, { user, provider: 'spotify' })))
  const apiOf = async (user: string) => (await auth.forUser(user)).api.spotify
  return { auth, cache: cache.engine, apiOf }
}

const mine = { id: 'a', name: 'Mine' }

test('what a user’s repository is given is served to that user, and to no other', async () => {
  const { auth, apiOf } = await appFor('ada', 'grace')
  const [ada, grace] = [await apiOf('ada'), await apiOf('grace')]
  const tracks = (await ada.cachePartition()).repository('tracks')
  expect(await tracks.save('a', mine)).toBe(true)
  expect(await ada.get('tracks/a')).toEqual(mine)
  expect(world.api.requestsTo('tracks/a')).toBe(0)
  const hers = (await grace.cachePartition()).repository('tracks')
  expect(await hers.get('a')).toBeUndefined()
  expect(await hers.count()).toBe(0)
  await grace.fetch('tracks/a')
  expect(world.api.requestsTo('tracks/a')).toBe(1)
  await auth.close()
})

test('CA-13 a user’s replies are taken away by URL, all of them, and listed, and nobody else’s', async () => {
  const { auth, cache, apiOf } = await appFor('ada', 'grace')
  const [ada, grace] = [await apiOf('ada'), await apiOf('grace')]
  await Promise.all([ada.get('me'), grace.get('me')])
  const partition = await ada.cachePartition()
  const listed: Array<string | undefined> = []
  for await (const { url } of cache.list({ partition })) listed.push(url)
  expect(listed).toEqual([`${world.api.baseUrl}/me`])
  await cache.delete({ url: `${world.api.baseUrl}/me`, partition })
  const statusOf = async (api: typeof ada) => (await api.fetch('me')).headers.get('cache-status')
  expect(await statusOf(ada)).toContain('fwd=')
  expect(await statusOf(grace)).toContain('hit')
  await cache.clear({ partition: await ada.cachePartition() })
  expect(await statusOf(ada)).toContain('fwd=')
  expect(await statusOf(grace)).toContain('hit')
  await auth.close()
})

test('after a disconnect there is none, and the next grant begins with an empty one', async () => {
  const { auth, apiOf } = await appFor('ada')
  const { tokens } = await auth.forUser('ada')
  const ada = await apiOf('ada')
  await (await ada.cachePartition()).repository('tracks').save('a', mine)
  await tokens.spotify.disconnect()
  await expect(ada.cachePartition()).rejects.toMatchObject({ code: 'login_required' })
  await grantFor(auth, { user: 'ada', provider: 'spotify' })
  const next = (await (await apiOf('ada')).cachePartition()).repository('tracks')
  expect(await next.get('a')).toBeUndefined()
  await auth.close()
})

test('LG-01 what is printed or sent of it does not hold its key', async () => {
  const { auth, apiOf } = await appFor('ada')
  const partition = await (await apiOf('ada')).cachePartition()
  const key = Buffer.from(partition.key)
  expect(key).toHaveLength(32)
  const shown = inspect(partition, { depth: 9, showHidden: true }) + JSON.stringify(partition)
  expect(shown).not.toContain(inspect(partition.key).slice(12, 60))
  expect(shown).not.toContain(key.toString('base64url'))
  expect(shown).not.toContain(key.toJSON().data.slice(0, 9).join(','))
  await auth.close()
})

test('without a cache the error says how there comes to be one', async () => {
  const auth = createBehalf({
    baseUrl,
    secret,
    store: memoryStore(),
    user: () => undefined,
    providers: {
      spotify: spotify({ ...world.provider.overrides, apiBaseUrl: world.api.baseUrl }),
    },
  })
  await grantFor(auth, { user: 'ada', provider: 'spotify' })
  const { api } = await auth.forUser('ada')
  await expect(api.spotify.cachePartition()).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('option cache'),
  })
  await auth.close()
})
