import type { Catalogue, Track } from './catalogue.ts'
import { SeededRandom } from './seeded-random.ts'

/** A track in somebody's library. */
export interface SavedTrack {
  readonly track: Track
  /** Instant, epoch ms. */
  readonly addedAt: number
}

/** Spotify's three time ranges of top tracks. */
export const timeRanges = ['short_term', 'medium_term', 'long_term'] as const

/** Spotify's name for a period of listening. */
export type TimeRange = (typeof timeRanges)[number]

const firstSavedAt = Date.UTC(2026, 0, 1, 12)
const savedAtFirst = 36
const topTracks = 50

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
  top(userId: string, range: TimeRange): Track[] {
    const tracks = [...this.#catalogue.tracks.values()]
    return this.#random('top', userId, range).shuffle(tracks).slice(0, topTracks)
  }

  /** A user's saved tracks, newest first. */
  saved(userId: string): readonly SavedTrack[] {
    let saved = this.#saved.get(userId)
    if (!saved) {
      const tracks = this.#random('saved', userId).shuffle([...this.#catalogue.tracks.values()])
      saved = tracks
        .slice(0, savedAtFirst)
        .map((track, index) => ({ track, addedAt: firstSavedAt - index * 86_400_000 }))
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
