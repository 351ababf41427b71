import { makeAlbum } from './catalogue-albums.ts'
import type { Album, Track } from './catalogue-albums.ts'
import { makeArtists } from './catalogue-artists.ts'
import type { Artist } from './catalogue-artists.ts'
import { makePlaylist } from './catalogue-playlists.ts'
import type { Playlist } from './catalogue-playlists.ts'
import { curators } from './catalogue-words.ts'
import { SeededRandom } from './seeded-random.ts'

/** All the music there is, the same for the same seed; each map is by id. */
export interface Catalogue {
  readonly artists: ReadonlyMap<string, Artist>
  readonly albums: ReadonlyMap<string, Album>
  readonly tracks: ReadonlyMap<string, Track>
  /** What everybody may see; private playlists are in the library of their owner. */
  readonly playlists: ReadonlyMap<string, Playlist>
  /** The same tracks in a list, from which samples are drawn. */
  readonly allTracks: readonly Track[]
}

const artistCount = 220
const playlistCount = 160
const longPlaylist = { name: 'The Long Shelf', size: 3000 }

/** Makes up a few thousand tracks, and the artists, albums and playlists around them. */
export function createCatalogue(seed: string): Catalogue {
  const random = new SeededRandom(seed)
  const artists = makeArtists(random, artistCount)
  const albums = artists.flatMap((artist) =>
    Array.from({ length: random.between(1, 4) }, () => makeAlbum(random, artist, artists)),
  )
  const allTracks = albums.flatMap(({ tracks }) => tracks)
  const playlists = Array.from({ length: playlistCount }, (_, index) =>
    makePlaylist(random, random.pick(curators), index === 0 ? longPlaylist : {}),
  )
  return {
    artists: byId(artists),
    albums: byId(albums),
    tracks: byId(allTracks),
    playlists: byId(playlists),
    allTracks,
  }
}

function byId<T extends { readonly id: string }>(values: readonly T[]): Map<string, T> {
  return new Map(values.map((value) => [value.id, value]))
}
