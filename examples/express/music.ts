import type { ApiClient } from 'behalf'

/** As much of Spotify's user as the page shows; apps in development mode get no e-mail and country. */
export interface User {
  id: string
  display_name: string | null
  email?: string
  country?: string
  images?: Image[]
}

/** As much of Spotify's track as the page shows. */
export interface Track {
  id: string
  name: string
  duration_ms: number
  artists: Array<{ id: string; name: string }>
  album: { name: string; images: Image[] }
}

/** The same picture in several sizes. */
export interface Image {
  url: string
  width: number | null
}

/** A track, and whether the user likes it. */
export interface RankedTrack extends Track {
  liked: boolean
}

/** Spotify's names for the periods of its top lists. */
export const periods = {
  short_term: 'Last 4 weeks',
  medium_term: 'Last 6 months',
  long_term: 'Last year',
} as const

/** One of {@link periods}. */
export type Period = keyof typeof periods

/** Reads a period from a query; anything else is the middle one. */
export function periodOf(text: unknown): Period {
  return typeof text === 'string' && Object.hasOwn(periods, text) ? (text as Period) : 'medium_term'
}

/** The user's most played tracks. */
export async function topTracks(api: ApiClient, period: Period): Promise<RankedTrack[]> {
  const query = { time_range: period, limit: 12 }
  const { items } = await api.get<{ items: Track[] }>('me/top/tracks', { query })
  if (items.length === 0) return []
  const liked = await api.get<boolean[]>('me/library/contains', { query: { uris: uris(items) } })
  return items.map((track, index) => ({ ...track, liked: liked[index] ?? false }))
}

/** Puts a track among the user's liked ones. */
export async function like(api: ApiClient, id: string): Promise<void> {
  await api.put('me/library', { query: { uris: uris([{ id }]) } })
}

/** Takes it away again. */
export async function unlike(api: ApiClient, id: string): Promise<void> {
  await api.delete('me/library', { query: { uris: uris([{ id }]) } })
}

function uris(tracks: ReadonlyArray<{ id: string }>): string {
  return tracks.map(({ id }) => `spotify:track:${id}`).join(',')
}
