interface Holding {
  bytes: number
  /** Sizes by key, the one written first in front. */
  sizes: Map<string, number>
}

const nothing: string[] = []

/** Tells which entries go so that no partition crowds out the others. */
export class Shares {
  readonly #maxBytes: number
  readonly #maxEntries: number
  readonly #share: number
  readonly #holdings = new Map<string, Holding>()
  #bytes = 0
  #entries = 0

  constructor(limits: { maxBytes: number; maxEntries: number; share: number }) {
    this.#maxBytes = limits.maxBytes
    this.#maxEntries = limits.maxEntries
    this.#share = limits.share
  }

  /**
   * Counts an entry that is about to be written, in place of the one of that key if there is one.
   * Gives the keys of its own partition that have to go first, the one written first in front: none
   * while there is room, the partition is within its share, or there is no other.
   */
  add(key: string, size: number): string[] {
    const holding = this.#holdingOf(key)
    const former = holding.sizes.get(key)
    if (former !== undefined) this.#subtract(holding, key, former)
    const excess = this.#excess(holding, size)
    holding.sizes.set(key, size)
    holding.bytes += size
    this.#bytes += size
    this.#entries += 1
    return excess
  }

  /** To be called for every entry that has gone and was not replaced, whatever the reason was. */
  remove(key: string): void {
    const partition = partitionOf(key)
    const holding = this.#holdings.get(partition)
    const size = holding?.sizes.get(key)
    if (!holding || size === undefined) return
    this.#subtract(holding, key, size)
    if (holding.sizes.size === 0) this.#holdings.delete(partition)
  }

  #subtract(holding: Holding, key: string, size: number): void {
    holding.sizes.delete(key)
    holding.bytes -= size
    this.#bytes -= size
    this.#entries -= 1
  }

  #excess(holding: Holding, size: number): string[] {
    // Alone, the least recently used goes, which the map of all entries knows best.
    if (this.#holdings.size === 1 || this.#hasRoom(size, 1)) return nothing
    const excess: string[] = []
    let freed = 0
    for (const [key, bytes] of holding.sizes) {
      if (this.#hasRoom(size - freed, 1 - excess.length)) break
      if (!this.#isOver(holding, size - freed, 1 - excess.length)) break
      excess.push(key)
      freed += bytes
    }
    return excess
  }

  #hasRoom(bytes: number, entries: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes && this.#entries + entries <= this.#maxEntries
  }

  #isOver({ bytes, sizes }: Holding, moreBytes: number, moreEntries: number): boolean {
    return (
      bytes + moreBytes > this.#share * this.#maxBytes ||
      sizes.size + moreEntries > this.#share * this.#maxEntries
    )
  }

  #holdingOf(key: string): Holding {
    const partition = partitionOf(key)
    let holding = this.#holdings.get(partition)
    if (!holding) {
      holding = { bytes: 0, sizes: new Map() }
      this.#holdings.set(partition, holding)
    }
    return holding
  }
}

function partitionOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf(':')))
}
