import type { ApiCall } from './api-call.ts'
import { listUrl, viewerOf } from './api-market.ts'
import { named } from './api-music.ts'
import { pageOf } from './api-paging.ts'
import type { Page } from './api-paging.ts'
import { pageQuery } from './api-queries.ts'
import { entriesOf } from './catalogue-playlists.ts'
import type { Playlist } from './catalogue-playlists.ts'
import { playlistEntryObject, playlistObject, playlistSummary } from './spotify-objects.ts'

const pageLimits = { usual: 100, most: 100 }

/** `GET playlists/{id}` */
export function playlist(call: ApiCall): unknown {
  const found = named(call, (id) => findPlaylist(call, id))
  const viewer = viewerOf(call)
  const url = listUrl(`/v1/playlists/${found.id}/tracks`, viewer)
  return playlistObject(found, viewer, entryPage(call, found, url))
}

/** `GET playlists/{id}/tracks` */
export function playlistTracks(call: ApiCall): unknown {
  const found = named(call, (id) => findPlaylist(call, id))
  return entryPage(call, found, call.request.url)
}

/** `GET me/playlists` */
export function myPlaylists(call: ApiCall): unknown {
  const { url } = call.request
  const viewer = viewerOf(call)
  const playlists = call.content.library.playlists(call.account.user)
  return pageOf(playlists, url, pageQuery(url), (one) => playlistSummary(one, viewer))
}

/** A private playlist is there for its owner only, and only with the scope for it. */
function findPlaylist({ content, account }: ApiCall, id: string): Playlist | undefined {
  const shared = content.catalogue.playlists.get(id)
  if (shared || !account.scope.includes('playlist-read-private')) return shared
  return content.library.playlists(account.user).find((own) => own.id === id)
}

function entryPage(call: ApiCall, of: Playlist, url: URL): Page<unknown> {
  const viewer = viewerOf(call)
  const entries = entriesOf(of, call.content.catalogue.allTracks)
  return pageOf(entries, url, pageQuery(url, pageLimits), (entry) =>
    playlistEntryObject(entry, of, viewer),
  )
}
