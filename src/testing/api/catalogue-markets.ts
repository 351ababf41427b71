import type { SeededRandom } from './seeded-random.ts'

/** Where there is music at all: ISO 3166-1 alpha-2. */
export const markets: readonly string[] =
  'AR AT AU BE BR CA CH CZ DE DK ES FI FR GB GR IE IN IT JP KR MX NL NO NZ PL PT SE US ZA'.split(
    ' ',
  )

/** Where one album is available: mostly everywhere, now and then in about half of the markets. */
export function someMarkets(random: SeededRandom): readonly string[] {
  if (random.next() < 0.7) return markets
  return markets.filter(() => random.next() < 0.5)
}
