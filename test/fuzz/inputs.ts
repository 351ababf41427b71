import { SeededRandom } from '../../src/testing/api/seeded-random.ts'

/** What parsers trip over, wherever it is put in. */
const fragments = [
  '',
  '\0',
  '\r\n',
  '\u2028',
  '\u202e',
  '\ufeff',
  '\ud800',
  '%',
  '%00',
  '%2e%2e%2f',
  '%ff',
  '..',
  '//',
  '\\',
  '"',
  "'",
  '<',
  ';',
  ',',
  '=',
  ':',
  '@',
  '[',
  ']',
  '{',
  '}',
  '-1',
  '0',
  '1e308',
  '99999999999999999999',
  'NaN',
  'null',
  'true',
  '__proto__',
  'constructor',
  'toString',
  'javascript:',
  'https://evil.example',
  '[::1]',
  'é',
  '💥',
  'a'.repeat(300),
]

/** Makes ever other inputs out of good ones: the same for the same seed. */
export class Inputs {
  readonly #random: SeededRandom
  readonly #seeds: readonly string[]

  constructor(seeds: readonly string[], seed: string) {
    this.#random = new SeededRandom(seed)
    this.#seeds = seeds
  }

  next(): string {
    let text = this.#random.pick(this.#seeds)
    for (let changes = this.#random.between(1, 4); changes > 0; changes -= 1) {
      text = this.#changed(text)
    }
    return text
  }

  #changed(text: string): string {
    const at = this.#random.between(0, text.length)
    const length = this.#random.pick([0, 1, 1, 2, 8])
    const [before, after] = [text.slice(0, at), text.slice(at + length)]
    switch (this.#random.between(0, 4)) {
      case 0:
        return before + after
      case 1:
        return before + this.#random.pick(fragments) + after
      case 2:
        return before + String.fromCharCode(this.#random.between(0, 300)) + after
      case 3:
        return before + text.slice(at, at + 20) + text.slice(at)
      default:
        return before + this.#random.pick(this.#seeds).slice(at)
    }
  }
}
