import ky from 'ky'
import { describe, expect, test } from 'vitest'
import { BehalfError, LoginRequiredError } from '../../src/index.ts'
import type { Carried } from './client-app.ts'
import { describeClient } from './describe-client.ts'
import { createSpotifyWorld } from './outside-world.ts'

type Req = Carried<'spotify'>

interface SavedTracks {
  items: { track: { id: string } }[]
  next: string | null
}

function clientFor(req: Req) {
  // docs/clients.md: begin
  const client = ky.create({
    prefixUrl: 'https://api.spotify.com/v1',
    fetch: req.api.spotify.fetch,
    retry: { shouldRetry: ({ error }) => (error instanceof BehalfError ? false : undefined) },
  })
  // docs/clients.md: end
  return client
}

async function savedTracks(req: Req): Promise<string[]> {
  const client = clientFor(req)
  const ids: string[] = []
  // docs/clients.md: begin
  let page = await client.get('me/tracks?limit=50').json<SavedTracks>()
  ids.push(...page.items.map(({ track }) => track.id))
  while (page.next) {
    page = await client.get(new URL(page.next)).json<SavedTracks>()
    ids.push(...page.items.map(({ track }) => track.id))
  }
  // docs/clients.md: end
  return ids
}

describeClient('ky', {
  name: 'spotify',
  world: createSpotifyWorld,
  profilePath: '/v1/me',
  missingPath: '/v1/tracks/0000000000000000000000',
  profile: async (req) => {
    const reply = await clientFor(req).get('me')
    const { id } = await reply.json<{ id: string }>()
    return { id, cacheStatus: reply.headers.get('cache-status') }
  },
  firstThree: async (req) => {
    const searchParams = { limit: 3 }
    const { items } = await clientFor(req).get('me/tracks', { searchParams }).json<SavedTracks>()
    return items.map(({ track }) => track.id)
  },
  wholeList: savedTracks,
  write: async (req) => {
    const client = clientFor(req)
    const { items } = await client.get('me/tracks?limit=1').json<SavedTracks>()
    const ids = items.map(({ track }) => track.id)
    await client.put('me/tracks', { json: { ids } })
    return client.get('me/tracks/contains', { searchParams: { ids: ids.join(',') } }).json()
  },
  written: [true],
  missing: (req) => clientFor(req).get('tracks/0000000000000000000000').json(),
  reported: { name: 'HTTPError', response: { status: 404 } },
  aborted: (req, signal) => clientFor(req).get('me', { signal }),
  elsewhere: (req, url) => clientFor(req).get(new URL(url)),
})

describe('retries of ky', () => {
  /** Requests that ky makes of a fetch which always throws. */
  async function attemptsOf(error: Error): Promise<number> {
    let attempts = 0
    const apiFetch = () => {
      attempts += 1
      return Promise.reject(error)
    }
    const client = clientFor({ api: { spotify: { fetch: apiFetch } } } as unknown as Req)
    const retry = { limit: 1, delay: () => 1 }
    await expect(client.extend({ retry }).get('me')).rejects.toBe(error)
    return attempts
  }

  test('what behalf refuses is not tried again', async () => {
    expect(await attemptsOf(new LoginRequiredError('spotify', '/auth/spotify/login'))).toBe(1)
  })

  test('a connection that fails is', async () => {
    expect(await attemptsOf(new TypeError('fetch failed'))).toBe(2)
  })
})
