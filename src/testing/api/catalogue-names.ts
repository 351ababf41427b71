import {
  adjectives,
  albumOpenings,
  givenNames,
  nouns,
  occasions,
  plurals,
  surnames,
  towns,
  versions,
} from './catalogue-words.ts'
import type { SeededRandom } from './seeded-random.ts'

/** As many different names of performers. */
export function artistNames(random: SeededRandom, count: number): string[] {
  const names = new Set<string>()
  while (names.size < count) names.add(artistName(random))
  return [...names]
}

function artistName(random: SeededRandom): string {
  const given = random.pick(givenNames)
  const surname = random.pick(surnames)
  const plural = random.pick(plurals)
  return random.pick([
    `${given} ${surname}`,
    `The ${random.pick(adjectives)} ${plural}`,
    `${given} & the ${plural}`,
    `${plural} of ${random.pick(towns)}`,
    `${surname} ${random.pick(['Trio', 'Quartet', 'Ensemble', 'Sound System'])}`,
  ])
}

/** A title of an album, which others may have too. */
export function albumName(random: SeededRandom): string {
  const opening = random.pick(albumOpenings)
  return random.pick([
    `${opening} ${random.pick(towns)}`,
    `${opening} the ${random.pick(adjectives)} ${random.pick(nouns)}`,
    `${random.pick(adjectives)} ${random.pick(nouns)}`,
  ])
}

/** A title of a track, which others may have too. */
export function trackName(random: SeededRandom): string {
  const form = random.next()
  const noun = random.pick(nouns)
  if (form < 0.25) return `${noun} in ${random.pick(towns)}`
  const title = `${random.pick(adjectives)} ${noun}`
  return form < 0.5 ? `${title} (${random.pick(versions)})` : title
}

/** A title of a playlist, which others may have too. */
export function playlistName(random: SeededRandom): string {
  const occasion = random.pick(occasions)
  return random.pick([
    `${random.pick(adjectives)} ${occasion}`,
    `${occasion} in ${random.pick(towns)}`,
    `${random.pick(nouns)} for ${occasion}`,
  ])
}
