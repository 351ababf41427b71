import { expect, it } from 'vitest'
import { callerOf, useTestApi } from './api-caller.ts'
import type { Page } from './api-caller.ts'

interface Named {
  id: string
  name: string
}
interface TrackJson extends Named {
  artists: Named[]
  album: Named & { release_date: string }
  popularity: number
  is_playable: boolean
}
interface AlbumJson extends Named {
  artists: Named[]
  release_date: string
}
type Found = Partial<
  Record<'tracks', Page<TrackJson>> &
    Record<'albums', Page<AlbumJson>> &
    Record<'artists', Page<Named & { genres: string[] }>> &
    Record<'playlists', Page<Named>>
>

const world = useTestApi()
const search = (q: string, type: string, more = '') =>
  callerOf(world, 'ada').read<Found>(`search?q=${encodeURIComponent(q)}&type=${type}${more}`)
async function somePlayableTrack(): Promise<TrackJson> {
  const { items } = await callerOf(world, 'ada').read<Page<TrackJson>>('me/top/tracks?limit=50')
  return items.find((track) => track.is_playable)!
}

it('finds tracks by their names, whatever the case, the most popular first', async () => {
  const { tracks } = await search('hARBOUR', 'track', '&limit=50')
  expect(tracks!.total).toBeGreaterThan(10)
  for (const { name, album, artists } of tracks!.items) {
    expect([name, album.name, ...artists.map((artist) => artist.name)].join()).toMatch(/harbour/i)
  }
  const popularity = tracks!.items.map((track) => track.popularity)
  expect(popularity).toEqual(popularity.toSorted((one, other) => other - one))
})

it('finds what has all the words', async () => {
  const [one, both] = [await search('harbour', 'track'), await search('harbour quiet', 'track')]
  expect(both.tracks!.total).toBeGreaterThan(0)
  expect(both.tracks!.total).toBeLessThan(one.tracks!.total)
})

it('finds names with accents by letters without', async () => {
  const { artists } = await search('sofia', 'artist')
  expect(artists!.items.length).toBeGreaterThan(0)
  for (const { name } of artists!.items) expect(name).toContain('Sofía')
})

it('gives each type that is asked for in a list of its own', async () => {
  const found = await search('er', 'track,album,artist,playlist', '&limit=3')
  expect(Object.keys(found).toSorted()).toEqual(['albums', 'artists', 'playlists', 'tracks'])
  for (const page of Object.values(found)) {
    expect(page.total).toBeGreaterThan(0)
    expect(page.items.length).toBeLessThanOrEqual(3)
  }
  expect(Object.keys(await search('er', 'album'))).toEqual(['albums'])
  const next = await callerOf(world, 'ada').read<Found>(found.tracks!.next ?? '')
  expect(Object.keys(next)).toEqual(['tracks'])
  expect(next.tracks).toMatchObject({ offset: 3, limit: 3, total: found.tracks!.total })
})

it('walks through all results along next, without a duplicate, to the thousandth', async () => {
  const { read } = callerOf(world, 'ada')
  const walk = async (q: string) => {
    const ids: string[] = []
    let next: string | null = `search?q=${q}&type=track&limit=50`
    let total = 0
    while (next !== null) {
      const { tracks }: Found = await read(next)
      ids.push(...tracks!.items.map(({ id }) => id))
      total = tracks!.total
      next = tracks!.next
    }
    return { ids, total }
  }
  const some = await walk('silver')
  expect(some.total).toBeLessThan(1000)
  expect(new Set(some.ids).size).toBe(some.total)
  const many = await walk('e')
  expect([many.total, new Set(many.ids).size]).toEqual([1000, 1000])
})

it('filters by artist, album and track', async () => {
  const { name, album, artists } = await somePlayableTrack()
  const artist = artists[0]!.name
  const byArtist = await search(`artist:${artist}`, 'track,album,artist', '&limit=50')
  expect(byArtist.artists!.items[0]).toMatchObject({ name: artist })
  for (const found of [...byArtist.tracks!.items, ...byArtist.albums!.items]) {
    expect(found.artists.map((one) => one.name).join()).toContain(artist)
  }
  const byAlbum = await search(`album:"${album.name}"`, 'track', '&limit=50')
  expect(byAlbum.tracks!.total).toBeGreaterThan(0)
  for (const found of byAlbum.tracks!.items) expect(found.album.name).toContain(album.name)
  const byAll = await search(`track:${name} artist:${artist} album:${album.name}`, 'track')
  expect(byAll.tracks!.items.map((found) => found.name)).toContain(name)
})

it('filters by year and by a span of years', async () => {
  const years = async (q: string) => {
    const { albums } = await search(q, 'album', '&limit=50')
    return new Set(albums!.items.map(({ release_date }) => release_date.slice(0, 4)))
  }
  expect(await years('year:2004')).toEqual(new Set(['2004']))
  expect([...(await years('year:2004-2006'))].toSorted()).toEqual(['2004', '2005', '2006'])
  expect(await years('year:soon')).toEqual(new Set())
  const [all, one] = [await search('the', 'album'), await search('the year:2004', 'album')]
  expect(one.albums!.total).toBeLessThan(all.albums!.total)
})

it('filters artists by genre', async () => {
  const { artists } = await search('genre:"tram pop"', 'artist', '&limit=50')
  expect(artists!.total).toBeGreaterThan(0)
  for (const { genres } of artists!.items) expect(genres).toContain('tram pop')
})

it('takes a colon that is no filter for a part of a word', async () => {
  expect((await search('nothing:here', 'track')).tracks).toMatchObject({ total: 0, items: [] })
})

it('refuses what Spotify refuses', async () => {
  const { call } = callerOf(world, 'ada')
  for (const [query, message] of [
    ['type=track', 'No search query'],
    ['q=%20&type=track', 'No search query'],
    ['q=rain', 'Missing parameter type'],
    ['q=rain&type=song', 'Bad search type field'],
    ['q=rain&type=track,constructor', 'Bad search type field'],
    ['q=rain&type=track&limit=51', 'Invalid limit'],
    ['q=rain&type=track&offset=1001', 'Invalid offset'],
    [`q=${'a'.repeat(251)}&type=track`, 'Query exceeds maximum length of 250 characters'],
  ] as const) {
    const reply = await call(`search?${query}`)
    expect(await reply.json()).toEqual({ error: { status: 400, message } })
  }
})
