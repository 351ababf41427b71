import type { SeededRandom } from './seeded-random.ts'

const base62 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const length = 22
// As many characters as one random number has enough bits for.
const partLength = 5
const parts = base62.length ** partLength

/** An id that looks like Spotify's: 22 characters of base 62. */
export function newId(random: SeededRandom): string {
  let id = ''
  while (id.length < length) id += inBase62(random.between(0, parts - 1))
  return id.slice(0, length)
}

function inBase62(part: number): string {
  let text = ''
  for (let rest = part; text.length < partLength; rest = Math.floor(rest / base62.length)) {
    text += base62[rest % base62.length]
  }
  return text
}

/** Whether it could be an id of a track, an album, an artist or a playlist. */
export function isId(text: string): boolean {
  return /^[0-9A-Za-z]{22}$/.test(text)
}
