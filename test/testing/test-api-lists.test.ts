import { describe, expect, it } from 'vitest'
import { callerOf, everyScope, useTestApi } from './api-caller.ts'
import type { Page } from './api-caller.ts'

interface Listed {
  added_at: string
  track: { id: string }
}
interface PlaylistJson {
  id: string
  name: string
  public: boolean
  owner: { id: string; href: string }
  images: Array<{ url: string }>
  tracks: Page<Listed>
}

const world = useTestApi()
const trackIdsOf = (items: Listed[]) => items.map(({ track }) => track.id)

async function longPlaylist(): Promise<PlaylistJson> {
  const { read } = callerOf(world, 'ada')
  const { playlists } = await read<{ playlists: Page<PlaylistJson> }>(
    'search?q=the long shelf&type=playlist',
  )
  return playlists.items[0]!
}

describe('a list of a few thousand items', () => {
  it('is complete and without duplicates when it is walked along next', async () => {
    const { walk } = callerOf(world, 'ada')
    const { id, tracks } = await longPlaylist()
    expect(tracks.total).toBeGreaterThan(2000)
    const items = await walk<Listed>(`playlists/${id}/tracks`)
    expect(items).toHaveLength(tracks.total)
    expect(new Set(trackIdsOf(items)).size).toBe(tracks.total)
    // The size of the pages makes no difference, nor does the direction.
    expect(await walk(`playlists/${id}/tracks?limit=37`)).toEqual(items)
    const backwards: Listed[] = []
    const { read } = callerOf(world, 'grace')
    let page = await read<Page<Listed>>(
      `playlists/${id}/tracks?limit=100&offset=${tracks.total - 100}`,
    )
    for (;;) {
      backwards.unshift(...page.items)
      if (page.previous === null) break
      page = await read(page.previous)
    }
    expect(trackIdsOf(backwards)).toEqual(trackIdsOf(items))
  })

  it('says on every page where it is', async () => {
    const { read } = callerOf(world, 'ada')
    const { id, tracks } = await longPlaylist()
    const path = `playlists/${id}/tracks`
    const middle = await read<Page<Listed>>(`${path}?limit=10&offset=15`)
    expect(middle).toMatchObject({ limit: 10, offset: 15, total: tracks.total })
    const offsetOf = (href: string | null) => new URL(href ?? '').searchParams.get('offset')
    expect(offsetOf(middle.href)).toBe('15')
    expect(offsetOf(middle.next)).toBe('25')
    expect(offsetOf(middle.previous)).toBe('5')
    expect(await read(middle.href)).toEqual(middle)
    const beyond = await read<Page<Listed>>(`${path}?offset=${tracks.total + 5}`)
    expect(beyond).toMatchObject({ items: [], next: null, total: tracks.total })
  })

  it('has at most 100 items on a page', async () => {
    const { call, read } = callerOf(world, 'ada')
    const { id } = await longPlaylist()
    expect((await read<Page<Listed>>(`playlists/${id}/tracks`)).items).toHaveLength(100)
    expect((await call(`playlists/${id}/tracks?limit=101`)).status).toBe(400)
  })
})

describe('saved tracks', () => {
  it('are some hundreds, each once', async () => {
    const saved = await callerOf(world, 'ada').walk<Listed>('me/tracks?limit=50')
    expect(saved.length).toBeGreaterThan(200)
    expect(new Set(trackIdsOf(saved)).size).toBe(saved.length)
  })

  it('are saved, looked for and removed by 50 at a time', async () => {
    const { walk, read, call } = callerOf(world, 'ada')
    const { id } = await longPlaylist()
    const saved = new Set(trackIdsOf(await walk<Listed>('me/tracks?limit=50')))
    const listed = trackIdsOf(await walk<Listed>(`playlists/${id}/tracks`))
    const ids = listed.filter((track) => !saved.has(track)).slice(0, 50)
    const query = `ids=${ids.join(',')}`
    expect((await call(`me/tracks?${query}`, { method: 'PUT' })).status).toBe(200)
    expect((await call(`me/tracks?${query}`, { method: 'PUT' })).status).toBe(200)
    expect(await read(`me/tracks/contains?${query}`)).toEqual(ids.map(() => true))
    const after = await walk<Listed>('me/tracks?limit=50')
    expect(trackIdsOf(after)).toEqual([...ids, ...saved])
    expect((await call(`me/tracks?${query},${ids[0]}`, { method: 'PUT' })).status).toBe(400)
    expect((await call(`me/tracks?${query}`, { method: 'DELETE' })).status).toBe(200)
    expect(new Set(trackIdsOf(await walk<Listed>('me/tracks?limit=50')))).toEqual(saved)
  })
})

describe('playlists', () => {
  it('of a user are their own private ones and public ones of others', async () => {
    const ada = callerOf(world, 'ada')
    const playlists = await ada.walk<PlaylistJson>('me/playlists?limit=7')
    expect(new Set(playlists.map(({ id }) => id)).size).toBe(playlists.length)
    const own = playlists.filter(({ owner }) => owner.id === 'ada')
    expect(own.length).toBeGreaterThan(0)
    expect(own.length).toBeLessThan(playlists.length)
    for (const playlist of playlists) {
      expect(playlist.public).toBe(playlist.owner.id !== 'ada')
      const whole = await ada.read<PlaylistJson>(`playlists/${playlist.id}`)
      expect(whole).toMatchObject({ id: playlist.id, tracks: { total: playlist.tracks.total } })
      expect((await ada.call(playlist.owner.href)).status).toBe(200)
    }
  })

  it('that are private are not there for others, nor without the scope', async () => {
    const [ada, grace] = [callerOf(world, 'ada'), callerOf(world, 'grace')]
    const { items } = await ada.read<Page<PlaylistJson>>('me/playlists')
    const own = `playlists/${items.find((playlist) => !playlist.public)!.id}`
    const shared = `playlists/${items.find((playlist) => playlist.public)!.id}`
    const scope = everyScope.filter((name) => name !== 'playlist-read-private')
    const withoutScope = callerOf(world, 'ada', { scope })
    const statuses = (path: string) =>
      Promise.all([ada, grace, withoutScope].map(async ({ call }) => (await call(path)).status))
    expect(await statuses(own)).toEqual([200, 404, 404])
    expect(await statuses(`${own}/tracks`)).toEqual([200, 404, 404])
    expect(await statuses(shared)).toEqual([200, 200, 200])
    expect(await statuses('me/playlists')).toEqual([200, 200, 403])
  })

  it('that are public have a picture', async () => {
    const { images, name } = await longPlaylist()
    expect(await (await fetch(images[0]!.url)).text()).toContain(name)
  })

  it('hold the first page, which leads to the others', async () => {
    const { walk, read } = callerOf(world, 'ada')
    const { id } = await longPlaylist()
    const { tracks } = await read<PlaylistJson>(`playlists/${id}?market=SE`)
    expect(tracks.items).toHaveLength(100)
    const rest = await walk<Listed>(tracks.next ?? '')
    expect([...tracks.items, ...rest]).toEqual(
      await walk<Listed>(`playlists/${id}/tracks?market=SE`),
    )
  })
})
