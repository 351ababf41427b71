/**
 * Tells keys that come again from those that come once, which are not worth remembering. It holds a
 * few bytes for each; now and then it is wrong, which costs its asker time and nothing else.
 */
export class Doorkeeper {
  readonly #seen: Uint32Array

  /** `most`: about so many keys are known at a time. */
  constructor(most: number) {
    this.#seen = new Uint32Array(most)
  }

  /** `key` ends in a hash, in hexadecimal; it is known from now on. */
  knows(key: string): boolean {
    const at = Number.parseInt(key.slice(-8), 16) % this.#seen.length
    const fingerprint = Number.parseInt(key.slice(-16, -8), 16)
    const isKnown = this.#seen[at] === fingerprint
    this.#seen[at] = fingerprint
    return isKnown
  }
}
