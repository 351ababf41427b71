import type { Album, Artist, Track } from './catalogue.ts'
import type { SavedTrack } from './library.ts'

/** A part of a list, as the Web API pages it. */
export interface Page<T> {
  readonly href: string
  readonly items: readonly T[]
  readonly limit: number
  readonly next: string | null
  readonly offset: number
  readonly previous: string | null
  readonly total: number
}

/** The JSON of a track; `origin` is where the API is. */
export function trackObject(track: Track, origin: string): Record<string, unknown> {
  return {
    album: albumObject(track.album, origin),
    artists: [artistObject(track.album.artist, origin)],
    disc_number: 1,
    duration_ms: track.durationMs,
    explicit: false,
    href: `${origin}/v1/tracks/${track.id}`,
    id: track.id,
    is_local: false,
    name: track.name,
    popularity: track.popularity,
    preview_url: null,
    track_number: track.trackNumber,
    type: 'track',
    uri: `spotify:track:${track.id}`,
  }
}

/** The JSON of a track in somebody's library. */
export function savedTrackObject(saved: SavedTrack, origin: string): Record<string, unknown> {
  return {
    added_at: new Date(saved.addedAt).toISOString().replace('.000', ''),
    track: trackObject(saved.track, origin),
  }
}

/** Cuts the page out of the list that `url` asks for. */
export function pageOf<T>(
  all: readonly T[],
  url: URL,
  { limit, offset }: { limit: number; offset: number },
): Page<T> {
  const at = (start: number) => {
    const href = new URL(url)
    href.searchParams.set('offset', String(start))
    href.searchParams.set('limit', String(limit))
    return href.href
  }
  return {
    href: at(offset),
    items: all.slice(offset, offset + limit),
    limit,
    next: offset + limit < all.length ? at(offset + limit) : null,
    offset,
    previous: offset > 0 ? at(Math.max(0, offset - limit)) : null,
    total: all.length,
  }
}

function albumObject(album: Album, origin: string): Record<string, unknown> {
  return {
    album_type: 'album',
    artists: [artistObject(album.artist, origin)],
    href: `${origin}/v1/albums/${album.id}`,
    id: album.id,
    images: [640, 300, 64].map((size) => ({
      height: size,
      url: `${origin}/images/${album.id}.svg?size=${size}`,
      width: size,
    })),
    name: album.name,
    release_date: album.releaseDate,
    release_date_precision: 'day',
    total_tracks: album.trackCount,
    type: 'album',
    uri: `spotify:album:${album.id}`,
  }
}

function artistObject({ id, name }: Artist, origin: string): Record<string, unknown> {
  const href = `${origin}/v1/artists/${id}`
  return { href, id, name, type: 'artist', uri: `spotify:artist:${id}` }
}
