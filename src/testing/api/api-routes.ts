import { type ApiAccount, nobody } from './api-accounts.ts'
import type { ApiAnswer } from './api-call.ts'
import type { ApiContent } from './api-content.ts'
import { ApiError } from './api-error.ts'
import { containsTracks, me, recentlyPlayed, removeTracks, savedTracks } from './api-me.ts'
import { saveTracks, topArtists, topTracks } from './api-me.ts'
import { album, albumTracks, allMarkets, artist, artistAlbums, severalAlbums } from './api-music.ts'
import { severalArtists, severalTracks, track } from './api-music.ts'
import { myPlaylists, playlist, playlistTracks } from './api-playlists.ts'
import { spotifyReply } from './api-reply.ts'
import { searchAll } from './api-search.ts'
import { publicProfile } from './api-users.ts'
import type { ReceivedRequest } from '../server/listen.ts'
import type { RawReply } from '../server/raw-reply.ts'

interface Route {
  readonly scope?: string
  readonly answer: ApiAnswer
}

const routes = new Map<string, Route>([
  ['GET /v1/me', { answer: me }],
  ['GET /v1/me/top/tracks', { scope: 'user-top-read', answer: topTracks }],
  ['GET /v1/me/top/artists', { scope: 'user-top-read', answer: topArtists }],
  ['GET /v1/me/tracks', { scope: 'user-library-read', answer: savedTracks }],
  ['PUT /v1/me/tracks', { scope: 'user-library-modify', answer: saveTracks }],
  ['DELETE /v1/me/tracks', { scope: 'user-library-modify', answer: removeTracks }],
  ['GET /v1/me/tracks/contains', { scope: 'user-library-read', answer: containsTracks }],
  // What took their place in 2026 for apps in Spotify's development mode.
  ['PUT /v1/me/library', { scope: 'user-library-modify', answer: saveTracks }],
  ['DELETE /v1/me/library', { scope: 'user-library-modify', answer: removeTracks }],
  ['GET /v1/me/library/contains', { scope: 'user-library-read', answer: containsTracks }],
  ['GET /v1/me/playlists', { scope: 'playlist-read-private', answer: myPlaylists }],
  [
    'GET /v1/me/player/recently-played',
    { scope: 'user-read-recently-played', answer: recentlyPlayed },
  ],
  ['GET /v1/tracks', { answer: severalTracks }],
  ['GET /v1/tracks/{id}', { answer: track }],
  ['GET /v1/albums', { answer: severalAlbums }],
  ['GET /v1/albums/{id}', { answer: album }],
  ['GET /v1/albums/{id}/tracks', { answer: albumTracks }],
  ['GET /v1/artists', { answer: severalArtists }],
  ['GET /v1/artists/{id}', { answer: artist }],
  ['GET /v1/artists/{id}/albums', { answer: artistAlbums }],
  ['GET /v1/playlists/{id}', { answer: playlist }],
  ['GET /v1/playlists/{id}/tracks', { answer: playlistTracks }],
  ['GET /v1/users/{id}', { answer: publicProfile }],
  ['GET /v1/search', { answer: searchAll }],
  ['GET /v1/markets', { answer: allMarkets }],
])

/** Answers a request whose access token is good; throws an {@link ApiError} for what is wrong. */
export function answerApiRequest(
  content: ApiContent,
  request: ReceivedRequest,
  account: ApiAccount,
): RawReply {
  const { route, id } = routeOf(request)
  if (account.user.id === nobody.id && request.url.pathname.startsWith('/v1/me')) {
    throw new ApiError(401, 'Valid user authentication required')
  }
  if (route.scope !== undefined && !account.scope.includes(route.scope)) {
    throw new ApiError(403, 'Insufficient client scope', {
      'www-authenticate': `Bearer error="insufficient_scope", scope="${route.scope}"`,
    })
  }
  return spotifyReply(route.answer({ content, request, account, id }))
}

function routeOf({ method, url: { pathname } }: ReceivedRequest): { route: Route; id: string } {
  const [, version, kind, id = '', ...rest] = pathname.split('/')
  const pattern = `/${[version, kind, '{id}', ...rest].join('/')}`
  const exact = routes.get(`${method} ${pathname}`)
  if (exact) return { route: exact, id: '' }
  const route = routes.get(`${method} ${pattern}`)
  if (route) return { route, id }
  throw new ApiError(404, 'Service not found')
}
