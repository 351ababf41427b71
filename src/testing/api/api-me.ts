import type { ApiCall } from './api-call.ts'
import { viewerOf } from './api-market.ts'
import { pageOf, withQuery } from './api-paging.ts'
import type { CursorPage } from './api-paging.ts'
import { cursorQuery, pageQuery, timeRangeOf, trackIds } from './api-queries.ts'
import type { Play } from './library.ts'
import { artistObject, playObject, savedTrackObject } from './spotify-objects.ts'
import { trackObject, userObject } from './spotify-objects.ts'

/** `GET me` */
export function me({ content, account }: ApiCall): unknown {
  const { user, scope } = account
  return {
    ...userObject(user, content),
    country: user.country,
    product: 'premium',
    ...(scope.includes('user-read-email') ? { email: user.email } : {}),
  }
}

/** `GET me/top/tracks` */
export function topTracks(call: ApiCall): unknown {
  const { content, request, account } = call
  const viewer = viewerOf(call)
  const tracks = content.library.topTracks(account.user.id, timeRangeOf(request.url))
  return pageOf(tracks, request.url, pageQuery(request.url), (one) => trackObject(one, viewer))
}

/** `GET me/top/artists` */
export function topArtists(call: ApiCall): unknown {
  const { content, request, account } = call
  const viewer = viewerOf(call)
  const artists = content.library.topArtists(account.user.id, timeRangeOf(request.url))
  return pageOf(artists, request.url, pageQuery(request.url), (one) => artistObject(one, viewer))
}

/** `GET me/tracks` */
export function savedTracks(call: ApiCall): unknown {
  const { content, request, account } = call
  const viewer = viewerOf(call)
  const saved = content.library.saved(account.user.id)
  return pageOf(saved, request.url, pageQuery(request.url), (one) => savedTrackObject(one, viewer))
}

/** `PUT me/tracks` and `PUT me/library` */
export function saveTracks({ content, request, account }: ApiCall): void {
  content.library.save(account.user.id, trackIds(request))
}

/** `DELETE me/tracks` and `DELETE me/library` */
export function removeTracks({ content, request, account }: ApiCall): void {
  content.library.remove(account.user.id, trackIds(request))
}

/** `GET me/tracks/contains` and `GET me/library/contains` */
export function containsTracks({ content, request, account }: ApiCall): unknown {
  return trackIds(request).map((id) => content.library.has(account.user.id, id))
}

/** `GET me/player/recently-played`: the newest first, or with `after` what came next then. */
export function recentlyPlayed(call: ApiCall): CursorPage<unknown> {
  const { content, request, account } = call
  const viewer = viewerOf(call)
  const { limit, before = Infinity, after } = cursorQuery(request.url)
  const plays = content.library.plays(account.user.id)
  const asked =
    after === undefined
      ? plays.filter(({ playedAt }) => playedAt < before).slice(0, limit)
      : plays.filter(({ playedAt }) => playedAt > after).slice(-limit)
  const [newest, oldest] = [asked[0], asked.at(-1)]
  return {
    items: asked.map((play) => playObject(play, viewer)),
    next:
      after === undefined ? older(plays, oldest, request.url) : newer(plays, newest, request.url),
    cursors:
      newest && oldest ? { after: String(newest.playedAt), before: String(oldest.playedAt) } : null,
    limit,
    href: request.url.href,
  }
}

function older(plays: readonly Play[], than: Play | undefined, url: URL): string | null {
  if (!than || than === plays.at(-1)) return null
  return withQuery(url, { before: String(than.playedAt) })
}

function newer(plays: readonly Play[], than: Play | undefined, url: URL): string | null {
  if (!than || than === plays[0]) return null
  return withQuery(url, { after: String(than.playedAt) })
}
