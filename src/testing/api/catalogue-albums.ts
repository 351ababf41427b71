import type { Artist } from './catalogue-artists.ts'
import { newId } from './catalogue-id.ts'
import { someMarkets } from './catalogue-markets.ts'
import { albumName, trackName } from './catalogue-names.ts'
import { labels } from './catalogue-words.ts'
import type { SeededRandom } from './seeded-random.ts'

/** A made-up record. */
export interface Album {
  readonly id: string
  readonly name: string
  readonly type: 'album' | 'single'
  readonly artist: Artist
  /** Such as `2019-07-03`. */
  readonly releaseDate: string
  readonly label: string
  /** 0 to 100. */
  readonly popularity: number
  /** The countries in which it and its tracks can be played. */
  readonly markets: readonly string[]
  readonly tracks: readonly Track[]
}

/** A made-up recording. */
export interface Track {
  readonly id: string
  readonly name: string
  readonly album: Album
  /** The album's artist, and perhaps a guest. */
  readonly artists: readonly Artist[]
  readonly trackNumber: number
  readonly durationMs: number
  readonly explicit: boolean
  /** 0 to 100. */
  readonly popularity: number
}

/** Makes up an album with all its tracks; guests come from `artists`. */
export function makeAlbum(random: SeededRandom, artist: Artist, artists: readonly Artist[]): Album {
  const type = random.next() < 0.65 ? 'album' : 'single'
  const tracks: Track[] = []
  const album: Album = {
    id: newId(random),
    name: albumName(random),
    type,
    artist,
    releaseDate: [random.between(1998, 2025), month(random), month(random)].join('-'),
    label: random.pick(labels),
    popularity: random.between(2, 90),
    markets: someMarkets(random),
    tracks,
  }
  const count = type === 'album' ? random.between(8, 14) : random.between(1, 3)
  while (tracks.length < count) tracks.push(makeTrack(random, album, artists))
  return album
}

function makeTrack(random: SeededRandom, album: Album, artists: readonly Artist[]): Track {
  const guest = random.next() < 0.08 ? random.pick(artists) : album.artist
  return {
    id: newId(random),
    name: trackName(random),
    album,
    artists: guest === album.artist ? [guest] : [album.artist, guest],
    trackNumber: album.tracks.length + 1,
    durationMs: random.between(118_000, 372_000),
    explicit: random.next() < 0.1,
    popularity: random.between(0, 92),
  }
}

/** Does for a day too: every month has a 12th. */
function month(random: SeededRandom): string {
  return String(random.between(1, 12)).padStart(2, '0')
}
