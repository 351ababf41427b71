import { describe, expect, it } from 'vitest'
import { callerOf, useTestApi } from './api-caller.ts'
import type { Page } from './api-caller.ts'

interface Named {
  id: string
  name: string
  href: string
}
interface AlbumJson extends Named {
  artists: Named[]
  total_tracks: number
  tracks: Page<Named & { track_number: number }>
  images: Array<{ url: string }>
}
interface TrackJson extends Named {
  album: AlbumJson
  artists: Named[]
}
interface ArtistJson extends Named {
  genres: string[]
  images: Array<{ url: string }>
}

const world = useTestApi()
const unknown = '0'.repeat(22)
const idsOf = (values: Array<Named | null>) => values.map((value) => value?.id)

const someTracks = async (limit: number) =>
  (await callerOf(world, 'ada').read<Page<TrackJson>>(`me/top/tracks?limit=${limit}`)).items
const someArtists = async (limit: number) =>
  (await callerOf(world, 'ada').read<Page<ArtistJson>>(`me/top/artists?limit=${limit}`)).items

describe('an album', () => {
  it('lists its tracks, each of which leads back to it', async () => {
    const { read, walk } = callerOf(world, 'ada')
    const [track] = await someTracks(1)
    const album = await read<AlbumJson>(track!.album.href)
    expect(album).toMatchObject({ id: track!.album.id, name: track!.album.name })
    expect(album.tracks.total).toBe(album.total_tracks)
    expect(idsOf(album.tracks.items)).toContain(track!.id)
    expect(await walk(`albums/${album.id}/tracks?limit=2`)).toEqual(album.tracks.items)
    const numbers = album.tracks.items.map(({ track_number }) => track_number)
    expect(numbers).toEqual(numbers.map((_, index) => index + 1))
    const whole = await read<TrackJson>(album.tracks.items[0]!.href)
    expect(whole.album.id).toBe(album.id)
  })

  it('is read with others in the order of the ids, null in the place of an unknown one', async () => {
    const { read, call } = callerOf(world, 'ada')
    const ids = [...new Set((await someTracks(30)).map(({ album }) => album.id))].slice(0, 20)
    const asked = [ids[2], unknown, ids[0], ids[1], ids[0]]
    const { albums } = await read<{ albums: AlbumJson[] }>(`albums?ids=${asked.join(',')}`)
    expect(idsOf(albums)).toEqual([ids[2], undefined, ids[0], ids[1], ids[0]])
    expect(albums[1]).toBeNull()
    expect(albums[0]).toEqual(await read(`albums/${ids[2]}`))
    expect((await call(`albums?ids=${ids.join(',')}`)).status).toBe(200)
    const reply = await call(`albums?ids=${[...ids, unknown].join(',')}`)
    expect(await reply.json()).toEqual({
      error: { status: 400, message: 'Too many ids requested' },
    })
  })
})

describe('an artist', () => {
  it('has albums of their own, and others as a guest', async () => {
    const { read, walk } = callerOf(world, 'ada')
    const groups = new Set<string>()
    for (const artist of await someArtists(50)) {
      const albums = await walk<AlbumJson & { album_group: string; album_type: string }>(
        `artists/${artist.id}/albums?limit=3`,
      )
      expect(new Set(idsOf(albums)).size).toBe(albums.length)
      for (const album of albums) {
        groups.add(album.album_group)
        if (album.album_group === 'appears_on') {
          expect(idsOf(album.artists)).not.toContain(artist.id)
        } else {
          expect(album.album_type).toBe(album.album_group)
          expect(idsOf(album.artists)).toContain(artist.id)
        }
      }
      const own = albums.filter(({ album_group }) => album_group !== 'appears_on')
      const listed = `artists/${artist.id}/albums?include_groups=album,single&limit=50`
      expect((await read<Page<AlbumJson>>(listed)).items).toEqual(own)
    }
    expect([...groups].toSorted()).toEqual(['album', 'appears_on', 'single'])
  })

  it('is read with others in the order of the ids, null in the place of an unknown one', async () => {
    const { read, call } = callerOf(world, 'ada')
    const known = await someArtists(49)
    const [first, ...rest] = known
    const ids = [...idsOf(rest), unknown, first!.id].join(',')
    const { artists } = await read<{ artists: ArtistJson[] }>(`artists?ids=${ids}`)
    expect(artists).toEqual([...rest, null, first])
    expect(await read(`artists/${first!.id}`)).toEqual(first)
    expect((await call(`artists?ids=${ids},${unknown}`)).status).toBe(400)
  })

  it('has a picture', async () => {
    const [artist] = await someArtists(1)
    const picture = await fetch(artist!.images[0]!.url)
    expect(picture.headers.get('content-type')).toBe('image/svg+xml')
    expect((await fetch(`${world.api.origin}/images/${unknown}.svg`)).status).toBe(404)
  })
})

describe('recently played', () => {
  interface Played {
    played_at: string
    track: TrackJson
  }
  interface Plays {
    items: Played[]
    next: string | null
    cursors: { before: string; after: string } | null
  }

  it('tracks come newest first, page by page backwards in time', async () => {
    const { walk, read } = callerOf(world, 'ada')
    const plays = await walk<Played>('me/player/recently-played?limit=20')
    const instants = plays.map(({ played_at }) => Date.parse(played_at))
    expect(plays).toHaveLength(50)
    expect(new Set(instants).size).toBe(50)
    expect(instants).toEqual(instants.toSorted((one, other) => other - one))
    const { items } = await read<Plays>('me/player/recently-played?limit=50')
    expect(items).toEqual(plays)
  })

  it('tracks come forwards in time with after', async () => {
    const { walk, read } = callerOf(world, 'ada')
    const plays = await walk<Played>('me/player/recently-played')
    const from = Date.parse(plays[30]!.played_at)
    const first = await read<Plays>(`me/player/recently-played?limit=10&after=${from}`)
    expect(first.items).toEqual(plays.slice(20, 30))
    const second = await read<Plays>(first.next ?? '')
    expect(second.items).toEqual(plays.slice(10, 20))
    const last = Date.parse(plays[0]!.played_at)
    expect(await read(`me/player/recently-played?after=${last}`)).toMatchObject({
      items: [],
      next: null,
      cursors: null,
    })
  })

  it('refuses both directions at once, and what is no instant', async () => {
    const { call } = callerOf(world, 'ada')
    for (const query of ['before=2&after=1', 'before=x', 'after=', 'after=-1', 'before=1e3']) {
      expect((await call(`me/player/recently-played?${query}`)).status).toBe(400)
    }
  })
})

describe('a user', () => {
  it('has a public profile without what is private', async () => {
    const { read, call } = callerOf(world, 'ada')
    const grace = await read<Record<string, unknown>>('users/grace')
    expect(grace).toMatchObject({ id: 'grace', display_name: 'Grace Adeyemi', type: 'user' })
    expect(grace).not.toHaveProperty('email')
    expect(grace).not.toHaveProperty('country')
    const { href } = await read<{ href: string }>('me')
    expect(await read(href)).toMatchObject({ id: 'ada' })
    expect((await call('users/nobody')).status).toBe(404)
  })
})

describe('what goes wrong', () => {
  const bodyOf = async (path: string) => {
    const reply = await callerOf(world, 'ada').call(path)
    const body = (await reply.json()) as { error: { status: number; message: string } }
    expect(body.error.status).toBe(reply.status)
    return `${reply.status} ${body.error.message}`
  }

  it('has the status and the words of Spotify', async () => {
    const [artist] = await someArtists(1)
    expect(await bodyOf(`albums/${unknown}`)).toBe('404 Resource not found')
    expect(await bodyOf(`artists/${unknown}/albums`)).toBe('404 Resource not found')
    expect(await bodyOf(`playlists/${unknown}/tracks`)).toBe('404 Resource not found')
    expect(await bodyOf('albums/short')).toBe('400 Invalid base62 id')
    expect(await bodyOf(`tracks?ids=${unknown},short`)).toBe('400 Invalid base62 id')
    expect(await bodyOf('artists')).toBe('400 Missing required field: ids')
    expect(await bodyOf('me/tracks?limit=51')).toBe('400 Invalid limit')
    expect(await bodyOf('me/tracks?offset=-1')).toBe('400 Invalid offset')
    expect(await bodyOf(`artists/${artist!.id}/albums?include_groups=x`)).toMatch(/^400 Invalid/)
    expect(await bodyOf(`tracks/${unknown}/nothing`)).toBe('404 Service not found')
  })

  it('tells a token that is none from one that has expired', async () => {
    const replyTo = async (authorization: string) => {
      const reply = await fetch(`${world.api.baseUrl}/me`, { headers: { authorization } })
      const { error } = (await reply.json()) as { error: { message: string } }
      return `${reply.status} ${error.message}`
    }
    const { accessToken } = world.provider.issueTokens({ user: 'ada' })
    world.provider.expireAccessTokens()
    expect(await replyTo(`Bearer ${accessToken}`)).toBe('401 The access token expired')
    expect(await replyTo('Bearer made-up')).toBe('401 Invalid access token')
    expect(await replyTo('Bearer')).toBe('401 Invalid access token')
    expect(await replyTo('Basic YTpi')).toBe('400 Only valid bearer authentication supported')
  })

  it('is a 5xx for every request when the switch says so', async () => {
    world.api.switches.status = 502
    expect(await bodyOf('search?q=rain&type=track')).toBe('502 Bad Gateway')
  })

  it('has the same useless cache headers as what goes right', async () => {
    const { call } = callerOf(world, 'ada')
    for (const path of ['me', 'markets', 'search?q=rain&type=track', `tracks/${unknown}`]) {
      const { headers } = await call(path)
      expect(headers.get('cache-control')).toBe('private, max-age=0')
      expect(headers.get('vary')).toBe('Authorization')
      expect(headers.has('etag')).toBe(false)
    }
  })
})
