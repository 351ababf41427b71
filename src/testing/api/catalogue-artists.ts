import { newId } from './catalogue-id.ts'
import { artistNames } from './catalogue-names.ts'
import { genres } from './catalogue-words.ts'
import type { SeededRandom } from './seeded-random.ts'

/** A made-up performer. */
export interface Artist {
  readonly id: string
  readonly name: string
  readonly genres: readonly string[]
  readonly followers: number
  /** 0 to 100. */
  readonly popularity: number
}

/** Makes up artists, no two of one name. */
export function makeArtists(random: SeededRandom, count: number): Artist[] {
  return artistNames(random, count).map((name) => ({
    id: newId(random),
    name,
    genres: random.sample(genres, random.between(1, 2)),
    followers: random.between(12, 900_000),
    popularity: random.between(3, 95),
  }))
}
