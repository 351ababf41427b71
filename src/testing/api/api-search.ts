import type { ApiCall } from './api-call.ts'
import { ApiError } from './api-error.ts'
import { viewerOf } from './api-market.ts'
import type { Viewer } from './api-market.ts'
import { pageOf, withQuery } from './api-paging.ts'
import type { Page, PageQuery } from './api-paging.ts'
import { pageQuery } from './api-queries.ts'
import { searchTerms } from './api-search-query.ts'
import type { CatalogueSearch, SearchTerms } from './catalogue-search.ts'
import { albumSummary, artistObject } from './spotify-objects.ts'
import { playlistSummary, trackObject } from './spotify-objects.ts'

const maxResults = 1000

/** Gives what was found of one type, and how to show it. */
type Finder = (search: CatalogueSearch, terms: SearchTerms, viewer: Viewer) => Array<() => unknown>

/** What can be searched for. Of tracks and albums only those that the market has are found. */
const finders: Readonly<Record<string, Finder>> = {
  track: (search, terms, viewer) =>
    search
      .tracks(terms)
      .filter(({ album }) => album.markets.includes(viewer.market))
      .map((track) => () => trackObject(track, viewer)),
  album: (search, terms, viewer) =>
    search
      .albums(terms)
      .filter(({ markets }) => markets.includes(viewer.market))
      .map((album) => () => albumSummary(album, viewer)),
  artist: (search, terms, viewer) =>
    search.artists(terms).map((artist) => () => artistObject(artist, viewer)),
  playlist: (search, terms, viewer) =>
    search.playlists(terms).map((playlist) => () => playlistSummary(playlist, viewer)),
}

/** `GET search`: at most 1000 results of each type, in a page of their own. */
export function searchAll(call: ApiCall): unknown {
  const { url } = call.request
  const terms = searchTerms(url)
  const types = typesOf(url)
  const query = pageQuery(url, { lastOffset: maxResults })
  const viewer = viewerOf(call)
  return Object.fromEntries(
    types.map((type) => {
      const found = finders[type]!(call.content.search, terms, viewer)
      return [`${type}s`, resultPage(found, url, query, type)]
    }),
  )
}

function resultPage(
  found: ReadonlyArray<() => unknown>,
  url: URL,
  query: PageQuery,
  type: string,
): Page<unknown> {
  const ofType = new URL(withQuery(url, { type }))
  return pageOf(found.slice(0, maxResults), ofType, query, (show) => show())
}

function typesOf({ searchParams }: URL): string[] {
  const given = searchParams.get('type') ?? ''
  if (given === '') throw new ApiError(400, 'Missing parameter type')
  const types = [...new Set(given.split(','))]
  const unknown = types.find((type) => !Object.hasOwn(finders, type))
  if (unknown !== undefined) throw new ApiError(400, 'Bad search type field')
  return types
}
