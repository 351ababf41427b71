/** Remembers values by name, so many at most; the oldest makes room. */
export class Recent<T> {
  readonly #most: number
  readonly #values = new Map<string, T>()

  constructor(most: number) {
    this.#most = most
  }

  get(name: string): T | undefined {
    return this.#values.get(name)
  }

  /** What is remembered under that name; made, and remembered from now on, where nothing is. */
  getOrMake(name: string, make: () => T): T {
    const known = this.#values.get(name)
    if (known !== undefined) return known
    const made = make()
    this.set(name, made)
    return made
  }

  set(name: string, value: T): void {
    if (this.#values.size >= this.#most && !this.#values.has(name)) {
      const [oldest] = this.#values.keys()
      this.#values.delete(oldest!)
    }
    this.#values.set(name, value)
  }

  delete(name: string): void {
    this.#values.delete(name)
  }
}
