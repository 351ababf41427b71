/**
 * Remembers values by name, so many at most: what has not been asked for lately makes room. In two
 * halves, the older of which goes as a whole: a `Map` from which the oldest is taken, one by one, gets
 * slower the more it holds.
 */
export class Recent<T> {
  readonly #most: number
  #newer = new Map<string, T>()
  #older = new Map<string, T>()

  constructor(most: number) {
    this.#most = most
  }

  get(name: string): T | undefined {
    const known = this.#newer.get(name)
    if (known !== undefined) return known
    const older = this.#older.get(name)
    if (older !== undefined) this.set(name, older)
    return older
  }

  /** What is remembered under that name; made, and remembered from now on, where nothing is. */
  getOrMake(name: string, make: () => T): T {
    const known = this.get(name)
    if (known !== undefined) return known
    const made = make()
    this.set(name, made)
    return made
  }

  set(name: string, value: T): void {
    this.#newer.set(name, value)
    if (this.#newer.size * 2 < this.#most) return
    this.#older = this.#newer
    this.#newer = new Map()
  }

  delete(name: string): void {
    this.#newer.delete(name)
    this.#older.delete(name)
  }
}
