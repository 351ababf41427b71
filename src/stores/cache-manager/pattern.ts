/** A pattern such as `stock:*`: `*` stands for any text, also none, all else for itself. */
export class Pattern {
  /** What every match begins with; all of it, when there is no `*`. */
  readonly prefix: string
  /** No `*`: one key matches. */
  readonly isExact: boolean
  /** One `*`, at the end: all that begins with `prefix` matches. */
  readonly isPrefix: boolean
  readonly #middle: readonly string[]
  readonly #suffix: string

  constructor(pattern: string) {
    const [prefix = '', ...rest] = pattern.split('*')
    this.prefix = prefix
    this.isExact = rest.length === 0
    this.#suffix = rest.pop() ?? ''
    this.#middle = rest
    this.isPrefix = !this.isExact && this.#suffix === '' && rest.every((part) => part === '')
  }

  /** Goes over `key` once, whatever the pattern is. */
  matches(key: string): boolean {
    if (this.isExact) return key === this.prefix
    let at = this.prefix.length
    if (!key.startsWith(this.prefix)) return false
    for (const part of this.#middle) {
      const found = key.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return key.length - this.#suffix.length >= at && key.endsWith(this.#suffix)
  }
}
