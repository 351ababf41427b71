import type { Viewer } from './api-market.ts'
import type { Album, Track } from './catalogue-albums.ts'
import type { Artist } from './catalogue-artists.ts'
import type { Playlist, PlaylistEntry } from './catalogue-playlists.ts'
import type { Play, SavedTrack } from './library.ts'
import type { CompleteTestUser } from '../provider/test-users.ts'

/** JSON as the Web API sends it. */
export type SpotifyObject = Readonly<Record<string, unknown>>

/** A track with its album. */
export function trackObject(track: Track, viewer: Viewer): SpotifyObject {
  return {
    album: albumSummary(track.album, viewer),
    external_ids: { isrc: `QZ${track.id.slice(0, 10).toUpperCase()}` },
    popularity: track.popularity,
    ...trackSummary(track, viewer),
  }
}

/** A track as it stands in its album. */
export function trackSummary(track: Track, viewer: Viewer): SpotifyObject {
  return {
    ...linksOf('track', track.id, viewer),
    ...availability(track.album, viewer),
    artists: track.artists.map((artist) => artistSummary(artist, viewer)),
    disc_number: 1,
    duration_ms: track.durationMs,
    explicit: track.explicit,
    is_local: false,
    name: track.name,
    preview_url: null,
    track_number: track.trackNumber,
  }
}

/** A track in somebody's library. */
export function savedTrackObject({ track, addedAt }: SavedTrack, viewer: Viewer): SpotifyObject {
  return { added_at: wholeSecond(addedAt), track: trackObject(track, viewer) }
}

/** A track that somebody has listened to. */
export function playObject({ track, playedAt }: Play, viewer: Viewer): SpotifyObject {
  const played_at = new Date(playedAt).toISOString()
  return { context: null, played_at, track: trackObject(track, viewer) }
}

/** An album; `tracks` is the first page of its tracks. */
export function albumObject(album: Album, viewer: Viewer, tracks: unknown): SpotifyObject {
  const year = album.releaseDate.slice(0, 4)
  return {
    ...albumSummary(album, viewer),
    copyrights: [{ text: `${year} ${album.label}`, type: 'C' }],
    external_ids: {},
    genres: [],
    label: album.label,
    popularity: album.popularity,
    tracks,
  }
}

/** An album as it stands in a list. */
export function albumSummary(album: Album, viewer: Viewer): SpotifyObject {
  return {
    ...linksOf('album', album.id, viewer),
    ...availability(album, viewer),
    album_type: album.type,
    artists: [artistSummary(album.artist, viewer)],
    images: imagesOf(album.id, viewer),
    name: album.name,
    release_date: album.releaseDate,
    release_date_precision: 'day',
    total_tracks: album.tracks.length,
  }
}

/** An artist. */
export function artistObject(artist: Artist, viewer: Viewer): SpotifyObject {
  return {
    ...artistSummary(artist, viewer),
    followers: { href: null, total: artist.followers },
    genres: artist.genres,
    images: imagesOf(artist.id, viewer),
    popularity: artist.popularity,
  }
}

/** A playlist; `tracks` is the first page of what is in it. */
export function playlistObject(playlist: Playlist, viewer: Viewer, tracks: unknown): SpotifyObject {
  const followers = { href: null, total: playlist.isPublic ? playlist.size * 31 : 0 }
  return { ...playlistSummary(playlist, viewer), followers, tracks }
}

/** A playlist as it stands in a list. */
export function playlistSummary(playlist: Playlist, viewer: Viewer): SpotifyObject {
  const links = linksOf('playlist', playlist.id, viewer)
  return {
    ...links,
    collaborative: false,
    description: playlist.description,
    images: playlist.isPublic ? imagesOf(playlist.id, viewer) : [],
    name: playlist.name,
    owner: userSummary(playlist.owner, viewer),
    primary_color: null,
    public: playlist.isPublic,
    snapshot_id: Buffer.from(`1,${playlist.id}`).toString('base64'),
    tracks: { href: `${links.href}/tracks`, total: playlist.size },
  }
}

/** A track in a playlist. */
export function playlistEntryObject(
  { track, addedAt }: PlaylistEntry,
  { owner }: Playlist,
  viewer: Viewer,
): SpotifyObject {
  return {
    added_at: wholeSecond(addedAt),
    added_by: linksOf('user', owner.id, viewer),
    is_local: false,
    primary_color: null,
    track: trackObject(track, viewer),
  }
}

/** What everybody may know of a user. */
export function userObject(user: CompleteTestUser, viewer: Pick<Viewer, 'origin'>): SpotifyObject {
  return {
    ...userSummary(user, viewer),
    followers: { href: null, total: user.id.length * 7 },
    images: [{ height: 300, url: user.avatar, width: 300 }],
  }
}

/** A user as the owner of something. */
export function userSummary(
  { id, name }: Playlist['owner'],
  viewer: Pick<Viewer, 'origin'>,
): SpotifyObject {
  return { ...linksOf('user', id, viewer), display_name: name }
}

function artistSummary({ id, name }: Artist, viewer: Viewer): SpotifyObject {
  return { ...linksOf('artist', id, viewer), name }
}

/** Music that is not available is shown all the same; it says that it cannot be played, and why. */
function availability(album: Album, { market, marketAsked }: Viewer): SpotifyObject {
  const playable = album.markets.includes(market)
  return {
    ...(marketAsked ? {} : { available_markets: album.markets }),
    is_playable: playable,
    ...(playable ? {} : { restrictions: { reason: 'market' } }),
  }
}

function linksOf(
  type: 'track' | 'album' | 'artist' | 'playlist' | 'user',
  id: string,
  { origin }: Pick<Viewer, 'origin'>,
): { href: string; id: string; type: string; uri: string; external_urls: SpotifyObject } {
  const name = encodeURIComponent(id)
  return {
    external_urls: { spotify: `https://open.spotify.com/${type}/${name}` },
    href: `${origin}/v1/${type}s/${name}`,
    id,
    type,
    uri: `spotify:${type}:${id}`,
  }
}

function imagesOf(id: string, { origin }: Viewer): SpotifyObject[] {
  return [640, 300, 64].map((size) => ({
    height: size,
    url: `${origin}/images/${id}.svg?size=${size}`,
    width: size,
  }))
}

function wholeSecond(instant: number): string {
  return new Date(instant).toISOString().replace(/\.\d+/, '')
}
