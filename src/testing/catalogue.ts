import { SeededRandom } from './seeded-random.ts'
import { albumWords, artistNames, trackWords } from './catalogue-words.ts'

/** A made-up performer. */
export interface Artist {
  readonly id: string
  readonly name: string
}

/** A made-up record. */
export interface Album {
  readonly id: string
  readonly name: string
  readonly artist: Artist
  readonly releaseDate: string
  readonly trackCount: number
}

/** A made-up recording. */
export interface Track {
  readonly id: string
  readonly name: string
  readonly album: Album
  readonly trackNumber: number
  readonly durationMs: number
  readonly popularity: number
}

/** All the music there is, the same for the same seed. */
export interface Catalogue {
  readonly tracks: ReadonlyMap<string, Track>
  readonly albums: ReadonlyMap<string, Album>
}

const albumCount = 24

/** Makes up a couple of hundred tracks. */
export function createCatalogue(seed: string): Catalogue {
  const random = new SeededRandom(seed)
  const artists = artistNames.map((name) => ({ id: newId(random), name }))
  const albumNames = titles(random, albumWords).slice(0, albumCount)
  const trackNames = titles(random, trackWords)
  const albums = albumNames.map((name, index) => {
    const artist = index < artists.length ? artists[index]! : random.pick(artists)
    const releaseDate = [random.between(1998, 2025), month(random), month(random)].join('-')
    return { id: newId(random), name, artist, releaseDate, trackCount: random.between(8, 11) }
  })
  const tracks = albums.flatMap((album) => albumTracks(random, album, trackNames))
  return { tracks: byId(tracks), albums: byId(albums) }
}

function albumTracks(random: SeededRandom, album: Album, names: string[]): Track[] {
  return Array.from({ length: album.trackCount }, (_, index) => ({
    id: newId(random),
    name: names.pop() ?? `${album.name}, part ${index + 1}`,
    album,
    trackNumber: index + 1,
    durationMs: random.between(118_000, 372_000),
    popularity: random.between(4, 92),
  }))
}

/** Every first word with every second one, in random order. */
function titles(random: SeededRandom, [first, second]: readonly [string[], string[]]): string[] {
  return random.shuffle(first.flatMap((one) => second.map((other) => `${one} ${other}`)))
}

const base62 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('')

/** Looks like Spotify's: 22 characters of base 62. */
function newId(random: SeededRandom): string {
  return Array.from({ length: 22 }, () => random.pick(base62)).join('')
}

function month(random: SeededRandom): string {
  return String(random.between(1, 12)).padStart(2, '0')
}

function byId<T extends { readonly id: string }>(values: readonly T[]): Map<string, T> {
  return new Map(values.map((value) => [value.id, value]))
}
