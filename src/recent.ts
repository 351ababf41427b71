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
