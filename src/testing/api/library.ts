import type { Track } from './catalogue-albums.ts'
import type { Artist } from './catalogue-artists.ts'
import { makePlaylist } from './catalogue-playlists.ts'
import type { Playlist } from './catalogue-playlists.ts'
import type { Catalogue } from './catalogue.ts'
import { SeededRandom } from './seeded-random.ts'

/** A track in somebody's library. */
export interface SavedTrack {
  readonly track: Track
  /** Instant, epoch ms. */
  readonly addedAt: number
}

/** A track that somebody has listened to. */
export interface Play {
  readonly track: Track
  /** Instant, epoch ms. */
  readonly playedAt: number
}

/** Spotify's three time ranges of top lists. */
export const timeRanges = ['short_term', 'medium_term', 'long_term'] as const

/** Spotify's name for a period of listening. */
export type TimeRange = (typeof timeRanges)[number]

const startedAt = Date.UTC(2026, 0, 1, 12)
const day = 86_400_000
const savedAtFirst = 500
const topListLength = 50
const keptPlays = 50
const secondsBetweenPlays = 250
const ownPlaylists = 4
const followedPlaylists = 30

/** What each user listens to and has saved; what they start with follows from the seed. */
export class Library {
  readonly #catalogue: Catalogue
  readonly #seed: string
  readonly #saved = new Map<string, SavedTrack[]>()

  constructor(catalogue: Catalogue, seed: string) {
    this.#catalogue = catalogue
    this.#seed = seed
  }

  /** A user's most played tracks, first the most played. */
  topTracks(userId: string, range: TimeRange): Track[] {
    return this.#random('top', userId, range).sample(this.#catalogue.allTracks, topListLength)
  }

  /** A user's most played artists, first the most played. */
  topArtists(userId: string, range: TimeRange): Artist[] {
    const artists = [...this.#catalogue.artists.values()]
    return this.#random('top artists', userId, range).sample(artists, topListLength)
  }

  /** What a user has listened to, newest first. */
  plays(userId: string): Play[] {
    return this.#random('plays', userId)
      .sample(this.#catalogue.allTracks, keptPlays)
      .map((track, index) => ({ track, playedAt: startedAt - index * secondsBetweenPlays * 1000 }))
  }

  /** The playlists that a user made, which are private, and those that the user follows. */
  playlists(user: Playlist['owner']): Playlist[] {
    const random = this.#random('playlists', user.id)
    const owner = { id: user.id, name: user.name }
    const own = Array.from({ length: ownPlaylists }, () =>
      makePlaylist(random, owner, { isPublic: false }),
    )
    return [...own, ...random.sample([...this.#catalogue.playlists.values()], followedPlaylists)]
  }

  /** A user's saved tracks, newest first. */
  saved(userId: string): readonly SavedTrack[] {
    let saved = this.#saved.get(userId)
    if (!saved) {
      saved = this.#random('saved', userId)
        .sample(this.#catalogue.allTracks, savedAtFirst)
        .map((track, index) => ({ track, addedAt: startedAt - index * day }))
      this.#saved.set(userId, saved)
    }
    return saved
  }

  has(userId: string, trackId: string): boolean {
    return this.saved(userId).some(({ track }) => track.id === trackId)
  }

  /** Saves what is not saved yet; unknown ids are passed over. */
  save(userId: string, trackIds: readonly string[]): void {
    const addedAt = Math.floor(Date.now() / 1000) * 1000
    const added = [...new Set(trackIds)]
      .filter((id) => !this.has(userId, id))
      .flatMap((id) => this.#catalogue.tracks.get(id) ?? [])
      .map((track) => ({ track, addedAt }))
    this.#saved.set(userId, [...added, ...this.saved(userId)])
  }

  remove(userId: string, trackIds: readonly string[]): void {
    const kept = this.saved(userId).filter(({ track }) => !trackIds.includes(track.id))
    this.#saved.set(userId, kept)
  }

  /** Gives everybody back what they started with. */
  reset(): void {
    this.#saved.clear()
  }

  #random(...names: readonly string[]): SeededRandom {
    return new SeededRandom(JSON.stringify([this.#seed, ...names]))
  }
}
