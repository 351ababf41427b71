import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { loginAs } from '../../src/testing/index.ts'
import { type Carried, createClientApp } from './client-app.ts'
import { createCodeHost } from './code-host.ts'
import { createSpotifyWorld, type OutsideWorld } from './outside-world.ts'

/** Runs `use` in a request of a user's and gives what it returns. */
async function inRequestOf<Name extends string, T>(
  user: string,
  name: Name,
  world: OutsideWorld,
  use: (req: Carried<Name>) => Promise<T>,
): Promise<T> {
  let result: Promise<T> | undefined
  const { browser } = createClientApp(name, world.definition, { use: (req) => (result = use(req)) })
  const visitor = browser()
  await loginAs(visitor, { user, provider: name })
  world.reset()
  await visitor.get('/use')
  return result!
}

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

describe('a playlist, whose pages name the next one in their body', () => {
  interface Entry {
    track: { id: string }
  }
  interface Page {
    items: Entry[]
    next: string | null
    total: number
  }
  let world: OutsideWorld
  let playlist: { id: string; tracks: { total: number } }
  let path: string
  const asAda = <T>(use: (req: Carried<'spotify'>) => Promise<T>) =>
    inRequestOf('ada', 'spotify', world, use)

  beforeAll(async () => {
    world = await createSpotifyWorld()
    const query = { q: 'The Long Shelf', type: 'playlist', limit: 1 }
    const found = await asAda(({ api }) =>
      api.spotify.get<{ playlists: { items: (typeof playlist)[] } }>('search', { query }),
    )
    playlist = found.playlists.items[0]!
    path = `playlists/${playlist.id}/tracks`
  })
  beforeEach(() => world.reset())
  afterAll(() => world.close())

  test('items() gives every track, once and in order', async () => {
    const walked = await asAda(({ api }) => listed(api.spotify.items<Entry>(path)))
    const byOffset = await asAda(async ({ api }) => {
      const entries: Entry[] = []
      while (entries.length < playlist.tracks.total) {
        const query = { limit: 100, offset: entries.length }
        entries.push(...(await api.spotify.get<Page>(path, { query })).items)
      }
      return entries
    })
    expect(walked.length).toBeGreaterThan(1000)
    expect(walked).toEqual(byOffset)
    expect(new Set(walked.map(({ track }) => track.id)).size).toBe(playlist.tracks.total)
  })

  test('pages() gives page after page, each asked for once', async () => {
    const pages = await asAda(({ api }) =>
      listed(api.spotify.pages<Page>(path, { query: { limit: 50 } })),
    )
    const { total } = playlist.tracks
    const fullPages = Array.from({ length: Math.floor(total / 50) }, () => 50)
    const rest = total % 50
    expect(pages.map(({ items }) => items.length)).toEqual(rest ? [...fullPages, rest] : fullPages)
    expect(world.requestsTo(`/v1/${path}`)).toBe(pages.length)
  })

  test('a walk that is left early asks for no further page', async () => {
    await asAda(async ({ api }) => {
      for await (const _entry of api.spotify.items(path, { query: { limit: 10 } })) break
    })
    expect(world.requestsTo(`/v1/${path}`)).toBe(1)
  })

  test('the token expires in the middle of a walk, and nobody notices', async () => {
    world.provider.reset()
    const walked = await asAda(async ({ api }) => {
      const entries: Entry[] = []
      for await (const entry of api.spotify.items<Entry>(path)) {
        if (entries.push(entry) === 150) world.provider.expireAccessTokens()
      }
      return entries
    })
    expect(walked).toHaveLength(playlist.tracks.total)
    expect(world.provider.seen.refreshRequests).toBe(1)
  })

  test('a schema checks and types every page', async () => {
    const schema = z.object({
      items: z.array(z.object({ track: z.object({ id: z.string() }) })),
      next: z.string().nullable(),
    })
    const ids = await asAda(async ({ api }) => {
      const found: string[] = []
      for await (const page of api.spotify.pages(path, { schema })) {
        expectTypeOf(page).toEqualTypeOf<z.infer<typeof schema>>()
        found.push(...page.items.map(({ track }) => track.id))
      }
      return found
    })
    expect(ids).toHaveLength(playlist.tracks.total)
  })
})

describe('a list, whose pages name the next one in the Link header', () => {
  let world: OutsideWorld
  beforeAll(async () => {
    world = await createCodeHost()
  })
  afterAll(() => world.close())

  const repositoriesOf = (user: string) =>
    inRequestOf(user, 'github', world, async ({ api }) => {
      const query = { per_page: 10 }
      const items = api.github.items<{ name: string }>('user/repos', { query })
      const pages = api.github.pages<unknown[]>('user/repos', { query })
      return {
        names: (await listed(items)).map(({ name }) => name),
        pages: (await listed(pages)).map(({ length }) => length),
      }
    })

  test('items() and pages() walk it to its end', async () => {
    const { names, pages } = await repositoriesOf('ada')
    expect(names).toEqual(Array.from({ length: 25 }, (_, n) => `ada-${n}`))
    expect(pages).toEqual([10, 10, 5])
  })

  test('each user walks their own', async () => {
    const walks = await Promise.all([repositoriesOf('ada'), repositoriesOf('grace')])
    expect(walks.map(({ names }) => names[24])).toEqual(['ada-24', 'grace-24'])
  })
})
