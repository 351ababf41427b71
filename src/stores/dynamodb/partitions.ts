import { createHash } from 'node:crypto'

/** The partition keys of a store: its namespace, or with a number behind it where there are several. */
export class Partitions {
  readonly all: readonly string[]

  constructor(namespace: string, count: number) {
    this.all =
      count === 1
        ? [namespace]
        : Array.from({ length: count }, (_, index) => `${namespace}#${index}`)
  }

  of(key: string): string {
    if (this.all.length === 1) return this.all[0]!
    const hash = createHash('sha256').update(key).digest().readUInt32BE()
    return this.all[hash % this.all.length]!
  }
}
