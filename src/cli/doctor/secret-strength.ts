import { KeyRing } from '../../key-ring.ts'
import { type Finding, findingsAbout } from './finding.ts'

const { ok, note, change } = findingsAbout('secret')

/** Bits that each character of a random text in base64url has; hexadecimal ones have 4. */
const wantedBits = 128

/** Are the secrets there, long enough, and not something that a person has typed? */
export function checkSecret(given: string | undefined, isProduction: boolean): Finding[] {
  if (given === undefined || given === '') {
    const text = 'BEHALF_SECRET is not set; make one with: npx behalf secret'
    return [isProduction ? change(text) : note(`${text}. Development keeps one of its own.`)]
  }
  const secrets = given.split(/[\s,]+/).filter(Boolean)
  try {
    // oxlint-disable-next-line no-new -- it is what refuses them
    new KeyRing(secrets)
  } catch {
    return [change('A secret has less than 32 bytes; make one with: npx behalf secret')]
  }
  const weak = secrets.filter((secret) => entropyOf(secret) < wantedBits)
  if (weak.length > 0) {
    return [change('A secret repeats itself: it is not random. Make one with: npx behalf secret')]
  }
  return [ok(`${secrets.length === 1 ? 'one' : secrets.length}, each of 32 bytes or more`)]
}

/** Shannon's, of the characters: an upper bound, which no random text of that length comes near from below. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= count * Math.log2(count / text.length)
  return bits
}
