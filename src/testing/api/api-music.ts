import type { ApiCall } from './api-call.ts'
import { ApiError } from './api-error.ts'
import { listUrl, viewerOf } from './api-market.ts'
import type { Viewer } from './api-market.ts'
import { pageOf } from './api-paging.ts'
import type { Page } from './api-paging.ts'
import { idsOf, pageQuery } from './api-queries.ts'
import type { Album } from './catalogue-albums.ts'
import { isId } from './catalogue-id.ts'
import { markets } from './catalogue-markets.ts'
import { albumObject, albumSummary, artistObject } from './spotify-objects.ts'
import { trackObject, trackSummary } from './spotify-objects.ts'

/** Finds what the path names: 400 when it cannot be an id, 404 when there is none. */
export function named<T>({ id }: ApiCall, find: (id: string) => T | undefined): T {
  if (!isId(id)) throw new ApiError(400, 'Invalid base62 id')
  const found = find(id)
  if (found === undefined) throw new ApiError(404, 'Resource not found')
  return found
}

/** `GET tracks/{id}` */
export function track(call: ApiCall): unknown {
  const { tracks } = call.content.catalogue
  return trackObject(
    named(call, (id) => tracks.get(id)),
    viewerOf(call),
  )
}

/** `GET tracks?ids=` */
export function severalTracks(call: ApiCall): unknown {
  return { tracks: several(call, 50, call.content.catalogue.tracks, trackObject) }
}

/** `GET albums/{id}` */
export function album(call: ApiCall): unknown {
  const { albums } = call.content.catalogue
  return wholeAlbum(
    named(call, (id) => albums.get(id)),
    viewerOf(call),
  )
}

/** `GET albums?ids=` */
export function severalAlbums(call: ApiCall): unknown {
  return { albums: several(call, 20, call.content.catalogue.albums, wholeAlbum) }
}

/** `GET albums/{id}/tracks` */
export function albumTracks(call: ApiCall): unknown {
  const { albums } = call.content.catalogue
  const found = named(call, (id) => albums.get(id))
  return trackPage(found, viewerOf(call), call.request.url)
}

/** `GET artists/{id}` */
export function artist(call: ApiCall): unknown {
  const { artists } = call.content.catalogue
  return artistObject(
    named(call, (id) => artists.get(id)),
    viewerOf(call),
  )
}

/** `GET artists?ids=` */
export function severalArtists(call: ApiCall): unknown {
  return { artists: several(call, 50, call.content.catalogue.artists, artistObject) }
}

/** `GET artists/{id}/albums`: those that can be played in the market, the newest first. */
export function artistAlbums(call: ApiCall): unknown {
  const { artists, albums } = call.content.catalogue
  const found = named(call, (id) => artists.get(id))
  const viewer = viewerOf(call)
  const { url } = call.request
  const groups = albumGroups(url)
  const theirs = [...albums.values()]
    .filter(({ markets: playableIn }) => playableIn.includes(viewer.market))
    .flatMap((one) => ({ one, group: groupOf(one, found.id) ?? [] }))
    .filter(({ group }) => groups.some((asked) => asked === group))
    .toSorted(({ one }, { one: other }) => (one.releaseDate < other.releaseDate ? 1 : -1))
  return pageOf(theirs, url, pageQuery(url), ({ one, group }) => ({
    album_group: group,
    ...albumSummary(one, viewer),
  }))
}

/** `GET markets` */
export function allMarkets(): unknown {
  return { markets }
}

const everyGroup = ['album', 'single', 'appears_on', 'compilation']

/** `include_groups=album,single,…`, default all. There are no compilations. */
function albumGroups({ searchParams }: URL): string[] {
  const groups = searchParams.get('include_groups')?.split(',') ?? everyGroup
  if (!groups.every((group) => everyGroup.includes(group))) {
    throw new ApiError(400, 'Invalid value for include_groups')
  }
  return groups
}

/** What an album is to an artist: their own, or one on which they are a guest. */
function groupOf({ artist: owner, type, tracks }: Album, artistId: string): string | undefined {
  if (owner.id === artistId) return type
  const isGuest = tracks.some(({ artists }) => artists.some(({ id }) => id === artistId))
  return isGuest ? 'appears_on' : undefined
}

function several<T>(
  call: ApiCall,
  most: number,
  all: ReadonlyMap<string, T>,
  show: (value: T, viewer: Viewer) => unknown,
): unknown[] {
  const viewer = viewerOf(call)
  return idsOf(call.request.url, most).map((id) => {
    const found = all.get(id)
    return found === undefined ? null : show(found, viewer)
  })
}

function wholeAlbum(found: Album, viewer: Viewer): unknown {
  const url = listUrl(`/v1/albums/${found.id}/tracks`, viewer)
  url.searchParams.set('limit', '50')
  return albumObject(found, viewer, trackPage(found, viewer, url))
}

function trackPage({ tracks }: Album, viewer: Viewer, url: URL): Page<unknown> {
  return pageOf(tracks, url, pageQuery(url), (one) => trackSummary(one, viewer))
}
