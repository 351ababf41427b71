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
  artists: Array<{ name: string }>
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
export async function topTracks(
  api: ApiClient,
  likes: Likes,
  period: Period,
): Promise<RankedTrack[]> {
  const query = { time_range: period, limit: 12 }
  const { items } = await api.get<{ items: Track[] }>('me/top/tracks', { query })
  const liked = await likes.of(
    api,
    items.map(({ id }) => id),
  )
  return items.map((track, index) => ({ ...track, liked: liked[index] ?? false }))
}

/** Where the user's likes are kept. */
export class Likes {
  readonly #path: 'me/library' | 'me/tracks'

  /** `me/tracks` is gone for apps in Spotify's development mode; the test API has nothing else. */
  constructor(path: 'me/library' | 'me/tracks') {
    this.#path = path
  }

  /** Which of the tracks the user likes, in their order. */
  async of(api: ApiClient, ids: readonly string[]): Promise<boolean[]> {
    if (ids.length === 0) return []
    return api.get<boolean[]>(`${this.#path}/contains`, { query: this.#query(ids) })
  }

  async add(api: ApiClient, id: string): Promise<void> {
    await api.put(this.#path, { query: this.#query([id]) })
  }

  async remove(api: ApiClient, id: string): Promise<void> {
    await api.delete(this.#path, { query: this.#query([id]) })
  }

  #query(ids: readonly string[]): Record<string, string> {
    if (this.#path === 'me/tracks') return { ids: ids.join(',') }
    return { uris: ids.map((id) => `spotify:track:${id}`).join(',') }
  }
}
