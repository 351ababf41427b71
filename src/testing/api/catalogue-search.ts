import type { Album, Track } from './catalogue-albums.ts'
import type { Artist } from './catalogue-artists.ts'
import type { Playlist } from './catalogue-playlists.ts'
import type { Catalogue } from './catalogue.ts'

/** The filters of a search that are understood. */
export const searchFields = ['track', 'artist', 'album', 'year', 'genre'] as const

/** One filter of a search. */
export type SearchField = (typeof searchFields)[number]

/** What is searched for: words that the names have to contain, and filters. */
export interface SearchTerms {
  readonly words: readonly string[]
  readonly filters: ReadonlyMap<SearchField, string>
}

/** Something that can be found, and the texts that it is found by. */
interface Entry<T> {
  readonly value: T
  readonly text: string
  readonly fields: Partial<Readonly<Record<SearchField, string>>>
}

/** Finds music by its names; the most popular comes first. */
export class CatalogueSearch {
  readonly #tracks: Array<Entry<Track>>
  readonly #albums: Array<Entry<Album>>
  readonly #artists: Array<Entry<Artist>>
  readonly #playlists: Array<Entry<Playlist>>

  constructor({ tracks, albums, artists, playlists }: Catalogue) {
    this.#tracks = byPopularity(tracks).map((track) => ({
      value: track,
      text: folded(`${track.name} ${track.album.name} ${namesOf(track.artists)}`),
      fields: { ...albumFields(track.album, track.artists), track: folded(track.name) },
    }))
    this.#albums = byPopularity(albums).map((album) => ({
      value: album,
      text: folded(`${album.name} ${album.artist.name}`),
      fields: albumFields(album, [album.artist]),
    }))
    this.#artists = byPopularity(artists).map((artist) => ({
      value: artist,
      text: folded(artist.name),
      fields: { artist: folded(artist.name), genre: artist.genres.join(' ') },
    }))
    this.#playlists = [...playlists.values()].map((playlist) => ({
      value: playlist,
      text: folded(playlist.name),
      fields: {},
    }))
  }

  tracks(terms: SearchTerms): Track[] {
    return matching(this.#tracks, terms)
  }

  albums(terms: SearchTerms): Album[] {
    return matching(this.#albums, terms)
  }

  artists(terms: SearchTerms): Artist[] {
    return matching(this.#artists, terms)
  }

  playlists(terms: SearchTerms): Playlist[] {
    return matching(this.#playlists, terms)
  }
}

/** Text in which case and accents make no difference. */
export function folded(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
}

function matching<T>(entries: ReadonlyArray<Entry<T>>, { words, filters }: SearchTerms): T[] {
  return entries
    .filter(({ text }) => words.every((word) => text.includes(word)))
    .filter(({ fields }) =>
      [...filters].every(([field, asked]) => {
        const text = fields[field]
        if (text === undefined) return false
        return field === 'year' ? isWithin(asked, text) : text.includes(asked)
      }),
    )
    .map(({ value }) => value)
}

/** Whether `years`, such as `2004` or `1999-2004`, contain the year. */
function isWithin(years: string, year: string): boolean {
  const [, from, to = from] = /^(\d{4})(?:-(\d{4}))?$/.exec(years) ?? []
  return from !== undefined && to !== undefined && from <= year && year <= to
}

function albumFields(album: Album, artists: readonly Artist[]): Entry<Album>['fields'] {
  return {
    album: folded(album.name),
    artist: folded(namesOf(artists)),
    year: album.releaseDate.slice(0, 4),
    genre: artists.flatMap(({ genres }) => genres).join(' '),
  }
}

function namesOf(artists: readonly Artist[]): string {
  return artists.map(({ name }) => name).join(' ')
}

function byPopularity<T extends { readonly popularity: number }>(
  values: ReadonlyMap<string, T>,
): T[] {
  return [...values.values()].toSorted((one, other) => other.popularity - one.popularity)
}
