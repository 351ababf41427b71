import type { ApiAccount } from './api-accounts.ts'
import { ApiError } from './api-error.ts'
import { spotifyReply } from './api-reply.ts'
import { pageQuery, timeRangeOf, trackIds } from './api-queries.ts'
import type { Catalogue } from './catalogue.ts'
import type { Library } from './library.ts'
import type { ReceivedRequest } from './listen.ts'
import type { RawReply } from './raw-reply.ts'
import { pageOf, savedTrackObject, trackObject } from './spotify-objects.ts'

/** What the routes of the test API work on. */
export interface ApiContent {
  readonly origin: string
  readonly catalogue: Catalogue
  readonly library: Library
}

type Route = (content: ApiContent, request: ReceivedRequest, account: ApiAccount) => RawReply

const routes: Readonly<Record<string, { scope?: string; answer: Route }>> = {
  'GET /v1/me': { answer: me },
  'GET /v1/me/top/tracks': { scope: 'user-top-read', answer: topTracks },
  'GET /v1/me/tracks': { scope: 'user-library-read', answer: savedTracks },
  'PUT /v1/me/tracks': { scope: 'user-library-modify', answer: saveTracks },
  'DELETE /v1/me/tracks': { scope: 'user-library-modify', answer: removeTracks },
  'GET /v1/me/tracks/contains': { scope: 'user-library-read', answer: containsTracks },
  // What took their place in 2026 for apps in Spotify's development mode.
  'PUT /v1/me/library': { scope: 'user-library-modify', answer: saveTracks },
  'DELETE /v1/me/library': { scope: 'user-library-modify', answer: removeTracks },
  'GET /v1/me/library/contains': { scope: 'user-library-read', answer: containsTracks },
  'GET /v1/tracks': { answer: severalTracks },
}

/** Answers a request whose access token is good; throws an {@link ApiError} for what is wrong. */
export function answerApiRequest(
  content: ApiContent,
  request: ReceivedRequest,
  account: ApiAccount,
): RawReply {
  const { method, url } = request
  const route = routes[`${method} ${url.pathname}`]
  if (!route) return oneTrack(content, request)
  if (route.scope !== undefined && !account.scope.includes(route.scope)) {
    throw new ApiError(403, 'Insufficient client scope', {
      'www-authenticate': `Bearer error="insufficient_scope", scope="${route.scope}"`,
    })
  }
  return route.answer(content, request, account)
}

function me({ origin }: ApiContent, _: ReceivedRequest, { user, scope }: ApiAccount): RawReply {
  const { id, name, email, country, avatar } = user
  return spotifyReply({
    country,
    display_name: name,
    external_urls: {},
    followers: { href: null, total: id.length * 7 },
    href: `${origin}/v1/users/${encodeURIComponent(id)}`,
    id,
    images: [{ height: 300, url: avatar, width: 300 }],
    product: 'premium',
    type: 'user',
    uri: `spotify:user:${id}`,
    ...(scope.includes('user-read-email') ? { email } : {}),
  })
}

function topTracks(
  { origin, library }: ApiContent,
  { url }: ReceivedRequest,
  { user }: ApiAccount,
): RawReply {
  const tracks = library.top(user.id, timeRangeOf(url)).map((track) => trackObject(track, origin))
  return spotifyReply(pageOf(tracks, url, pageQuery(url)))
}

function savedTracks(
  { origin, library }: ApiContent,
  { url }: ReceivedRequest,
  { user }: ApiAccount,
): RawReply {
  const saved = library.saved(user.id).map((track) => savedTrackObject(track, origin))
  return spotifyReply(pageOf(saved, url, pageQuery(url)))
}

function saveTracks(
  { library }: ApiContent,
  request: ReceivedRequest,
  { user }: ApiAccount,
): RawReply {
  library.save(user.id, trackIds(request))
  return spotifyReply(undefined)
}

function removeTracks(
  { library }: ApiContent,
  request: ReceivedRequest,
  { user }: ApiAccount,
): RawReply {
  library.remove(user.id, trackIds(request))
  return spotifyReply(undefined)
}

function containsTracks(
  { library }: ApiContent,
  request: ReceivedRequest,
  { user }: ApiAccount,
): RawReply {
  return spotifyReply(trackIds(request).map((id) => library.has(user.id, id)))
}

function severalTracks({ origin, catalogue }: ApiContent, request: ReceivedRequest): RawReply {
  const tracks = trackIds(request).map((id) => {
    const track = catalogue.tracks.get(id)
    return track ? trackObject(track, origin) : null
  })
  return spotifyReply({ tracks })
}

function oneTrack({ origin, catalogue }: ApiContent, { method, url }: ReceivedRequest): RawReply {
  const id = method === 'GET' ? /^\/v1\/tracks\/([^/]+)$/.exec(url.pathname)?.[1] : undefined
  if (id === undefined) throw new ApiError(404, 'Service not found')
  if (!/^[0-9A-Za-z]{22}$/.test(id)) throw new ApiError(400, 'Invalid base62 id')
  const track = catalogue.tracks.get(id)
  if (!track) throw new ApiError(404, 'Resource not found')
  return spotifyReply(trackObject(track, origin))
}
