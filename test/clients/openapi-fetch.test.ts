import createClient from 'openapi-fetch'
import { expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { type Carried, createClientApp } from './client-app.ts'
import { describeClient } from './describe-client.ts'
import { createSpotifyWorld } from './outside-world.ts'

type Req = Carried<'spotify'>

/** What `openapi-typescript` makes of an API's description, as much of it as is called here. */
interface paths {
  '/me': { get: Reads<{ id: string }> }
  '/tracks/{id}': { get: Reads<{ id: string; name: string }, never, { id: string }> }
  '/me/tracks': {
    get: Reads<
      { items: { track: { id: string } }[]; next: string | null },
      { limit?: number; offset?: number }
    >
    put: {
      parameters: object
      requestBody: { content: { 'application/json': { ids: string[] } } }
      responses: { 200: { content: object } }
    }
  }
  '/me/tracks/contains': { get: Reads<boolean[], { ids: string }> }
}

interface Reads<Reply, Query = never, Path = never> {
  parameters: { query?: Query; path?: Path }
  responses: {
    200: { content: { 'application/json': Reply } }
    404: { content: { 'application/json': { error: { status: number; message: string } } } }
  }
}

function clientFor(req: Req) {
  // docs/clients.md: begin
  const client = createClient<paths>({
    baseUrl: 'https://api.spotify.com/v1',
    fetch: req.api.spotify.fetch,
  })
  // docs/clients.md: end
  return client
}

async function savedTracks(req: Req): Promise<string[]> {
  const client = clientFor(req)
  const ids: string[] = []
  // docs/clients.md: begin
  for (let offset = 0, more = true; more; offset += 50) {
    const query = { limit: 50, offset }
    const { data, error } = await client.GET('/me/tracks', { params: { query } })
    if (error) throw new Error(error.error.message)
    ids.push(...data.items.map(({ track }) => track.id))
    more = data.next !== null
  }
  // docs/clients.md: end
  return ids
}

describeClient('openapi-fetch', {
  name: 'spotify',
  world: createSpotifyWorld,
  profilePath: '/v1/me',
  missingPath: '/v1/tracks/0000000000000000000000',
  profile: async (req) => {
    const { data, response } = await clientFor(req).GET('/me')
    return { id: data!.id, cacheStatus: response.headers.get('cache-status') }
  },
  firstThree: async (req) => {
    const params = { query: { limit: 3 } }
    const { data } = await clientFor(req).GET('/me/tracks', { params })
    return data!.items.map(({ track }) => track.id)
  },
  wholeList: savedTracks,
  write: async (req) => {
    const client = clientFor(req)
    const saved = await client.GET('/me/tracks', { params: { query: { limit: 1 } } })
    const { id } = saved.data!.items[0]!.track
    await client.PUT('/me/tracks', { body: { ids: [id] } })
    return (await client.GET('/me/tracks/contains', { params: { query: { ids: id } } })).data
  },
  written: [true],
  missing: (req) => {
    const path = { id: '0000000000000000000000' }
    return clientFor(req).GET('/tracks/{id}', { params: { path } })
  },
  reported: {
    error: { error: { status: 404, message: 'Resource not found' } },
    response: { status: 404 },
  },
  aborted: (req, signal) => clientFor(req).GET('/me', { signal }),
  elsewhere: (req, url) => {
    const { origin, pathname } = new URL(url)
    return clientFor(req).GET(pathname as '/me', { baseUrl: origin })
  },
})

test('a header of one request goes past the response cache', async () => {
  const world = await createSpotifyWorld()
  const { browser } = createClientApp('spotify', world.definition, {
    again: async (req) => {
      const client = clientFor(req)
      await client.GET('/me')
      // docs/clients.md: begin
      await client.GET('/me', { headers: { 'cache-control': 'no-cache' } })
      // docs/clients.md: end
      return null
    },
  })
  const ada = browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  world.reset()
  await ada.get('/again')
  expect(world.requestsTo('/v1/me')).toBe(2)
  await world.close()
})
