import { expect, it } from 'vitest'
import { callerOf, useTestApi } from './api-caller.ts'
import type { Caller, Page } from './api-caller.ts'

interface Playable {
  id: string
  available_markets?: string[]
  is_playable: boolean
  restrictions?: { reason: string }
}
interface TrackJson extends Playable {
  album: Playable & { artists: Array<{ id: string }> }
}

const world = useTestApi()

/** Everything that one listener has played and saved, in the eyes of that caller. */
async function tracksSeenBy({ read }: Caller, more = ''): Promise<TrackJson[]> {
  const { walk } = callerOf(world, 'grace')
  const saved = await walk<{ track: TrackJson }>('me/tracks?limit=50')
  const tracks: TrackJson[] = []
  for (let at = 0; at < saved.length; at += 50) {
    const ids = saved
      .slice(at, at + 50)
      .map(({ track }) => track.id)
      .join(',')
    tracks.push(...(await read<{ tracks: TrackJson[] }>(`tracks?ids=${ids}${more}`)).tracks)
  }
  return tracks
}

const onlyIn = (there: TrackJson[], elsewhere: TrackJson[]) =>
  there.find((track, index) => track.is_playable && !elsewhere[index]!.is_playable)

it('what can be played depends on the country of the account', async () => {
  const [inFrance, inJapan] = [callerOf(world, 'ada'), callerOf(world, 'mei')]
  const [french, japanese] = [await tracksSeenBy(inFrance), await tracksSeenBy(inJapan)]
  expect(onlyIn(french, japanese)).toBeDefined()
  expect(onlyIn(japanese, french)).toBeDefined()
  for (const [tracks, country] of [
    [french, 'FR'],
    [japanese, 'JP'],
  ] as const) {
    for (const track of tracks) {
      expect(track.is_playable).toBe(track.available_markets!.includes(country))
      expect(track.album.is_playable).toBe(track.is_playable)
      expect(track.restrictions).toEqual(track.is_playable ? undefined : { reason: 'market' })
    }
  }
})

it('the same address has two replies for accounts of two countries', async () => {
  const [inFrance, inJapan] = [callerOf(world, 'ada'), callerOf(world, 'mei')]
  const track = onlyIn(await tracksSeenBy(inFrance), await tracksSeenBy(inJapan))!
  const { id, album } = track
  for (const path of [`tracks/${id}`, `albums/${album.id}`, `albums/${album.id}/tracks`]) {
    const [french, japanese] = [await inFrance.read(path), await inJapan.read(path)]
    expect(JSON.stringify(french)).not.toContain('"restrictions"')
    expect(JSON.stringify(japanese)).toContain('"restrictions":{"reason":"market"}')
  }
  expect(await inFrance.read('markets')).toEqual(await inJapan.read('markets'))
})

it('market comes before the country of the account, and hides the list of markets', async () => {
  const [inFrance, inJapan] = [callerOf(world, 'ada'), callerOf(world, 'mei')]
  const french = await tracksSeenBy(inFrance, '&market=FR')
  expect(await tracksSeenBy(inJapan, '&market=FR')).toEqual(french)
  expect(await tracksSeenBy(inFrance, '&market=from_token')).toEqual(french)
  for (const { available_markets, album } of french) {
    expect([available_markets, album.available_markets]).toEqual([undefined, undefined])
  }
  const plain = await tracksSeenBy(inFrance)
  expect(plain.map((track) => track.is_playable)).toEqual(french.map((track) => track.is_playable))
})

it('search and the albums of an artist leave out what the market does not have', async () => {
  const [inFrance, inJapan] = [callerOf(world, 'ada'), callerOf(world, 'mei')]
  const { album } = onlyIn(await tracksSeenBy(inFrance), await tracksSeenBy(inJapan))!
  const albums = async ({ walk }: Caller) =>
    (await walk<Playable>(`artists/${album.artists[0]!.id}/albums`)).map(({ id }) => id)
  expect(await albums(inFrance)).toContain(album.id)
  expect(await albums(inJapan)).not.toContain(album.id)
  const found = ({ read }: Caller) =>
    read<{ tracks: Page<Playable> }>('search?q=rain&type=track&limit=50')
  const [french, japanese] = [await found(inFrance), await found(inJapan)]
  expect(french).not.toEqual(japanese)
  for (const { items } of [french.tracks, japanese.tracks]) {
    expect(items.filter(({ is_playable }) => !is_playable)).toEqual([])
  }
})

it('a market without music has nothing, and what is no market is refused', async () => {
  const { call } = callerOf(world, 'ada')
  const nowhere = await tracksSeenBy(callerOf(world, 'ada'), '&market=ZZ')
  expect(nowhere.some(({ is_playable }) => is_playable)).toBe(false)
  for (const market of ['', 'fr', 'FRA', 'F%0A', '%00%00']) {
    const reply = await call(`tracks/${nowhere[0]!.id}?market=${market}`)
    expect(await reply.json()).toEqual({ error: { status: 400, message: 'Invalid market code' } })
  }
})
