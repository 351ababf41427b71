/** What a partition counts, linked to what was used before and after it. */
export class Counted {
  readonly key: string
  /** In bytes. */
  size = 0
  partition: Partition | undefined
  before: Counted | undefined
  after: Counted | undefined

  constructor(key: string) {
    this.key = key
  }
}

interface Partition {
  name: string
  bytes: number
  entries: number
  /** The least recently used entry. */
  first: Counted | undefined
  last: Counted | undefined
}

const nothing: Counted[] = []

/** Tells which entries go so that no partition crowds out the others. */
export class Shares {
  readonly #maxBytes: number
  readonly #maxEntries: number
  readonly #share: number
  readonly #partitions = new Map<string, Partition>()
  #bytes = 0
  #entries = 0

  constructor(limits: { maxBytes: number; maxEntries: number; share: number }) {
    this.#maxBytes = limits.maxBytes
    this.#maxEntries = limits.maxEntries
    this.#share = limits.share
  }

  /** Whether something has to go, of whatever partition. */
  get areExceeded(): boolean {
    return !this.#hasRoom(0, 0)
  }

  /**
   * Counts `entry` with its new size, as the one used last. Gives others of its own partition that
   * have to go, the least recently used one in front: none while there is room, the partition is
   * within its share, or there is no other.
   */
  count(entry: Counted, size: number): readonly Counted[] {
    const partition = entry.partition ?? this.#partitionOf(entry.key)
    if (entry.partition) this.#subtract(entry, partition)
    const excess = this.#excess(partition, size)
    append(entry, partition)
    entry.size = size
    partition.bytes += size
    partition.entries += 1
    this.#bytes += size
    this.#entries += 1
    return excess
  }

  /** To be called for every entry that was read. */
  use(entry: Counted): void {
    const { partition } = entry
    if (!partition || partition.last === entry) return
    unlink(entry, partition)
    append(entry, partition)
  }

  /** To be called for every entry that has gone, whatever the reason was. */
  remove(entry: Counted): void {
    const { partition } = entry
    if (!partition) return
    this.#subtract(entry, partition)
    if (partition.entries === 0) this.#partitions.delete(partition.name)
  }

  #subtract(entry: Counted, partition: Partition): void {
    unlink(entry, partition)
    partition.bytes -= entry.size
    partition.entries -= 1
    this.#bytes -= entry.size
    this.#entries -= 1
  }

  #excess(partition: Partition, size: number): readonly Counted[] {
    // Alone, the least recently used goes, which the map of all entries knows best.
    if (this.#partitions.size === 1 || this.#hasRoom(size, 1)) return nothing
    const excess: Counted[] = []
    let freed = 0
    for (let entry = partition.first; entry; entry = entry.after) {
      if (this.#hasRoom(size - freed, 1 - excess.length)) break
      if (!this.#isOver(partition, size - freed, 1 - excess.length)) break
      excess.push(entry)
      freed += entry.size
    }
    return excess
  }

  #hasRoom(bytes: number, entries: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes && this.#entries + entries <= this.#maxEntries
  }

  #isOver({ bytes, entries }: Partition, moreBytes: number, moreEntries: number): boolean {
    return (
      bytes + moreBytes > this.#share * this.#maxBytes ||
      entries + moreEntries > this.#share * this.#maxEntries
    )
  }

  #partitionOf(key: string): Partition {
    const name = key.slice(0, Math.max(0, key.lastIndexOf(':')))
    let partition = this.#partitions.get(name)
    if (!partition) {
      partition = { name, bytes: 0, entries: 0, first: undefined, last: undefined }
      this.#partitions.set(name, partition)
    }
    return partition
  }
}

function append(entry: Counted, partition: Partition): void {
  entry.partition = partition
  entry.before = partition.last
  entry.after = undefined
  if (partition.last) partition.last.after = entry
  else partition.first = entry
  partition.last = entry
}

function unlink(entry: Counted, partition: Partition): void {
  const { before, after } = entry
  if (before) before.after = after
  else partition.first = after
  if (after) after.before = before
  else partition.last = before
  entry.partition = undefined
}
