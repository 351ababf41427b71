import { reading, writing } from '../mongodb/client.ts'
import type { MongoCollection } from '../mongodb/client.ts'
import type { Bodies } from '../mongodb/bodies.ts'
import type { OpenCollection } from '../mongodb/connection.ts'
import { OrphanSweep } from './orphan-sweep.ts'

/** Up to here a value is in its document: one round trip instead of several. */
const inlineBytes = 256 * 2 ** 10

/** The largest value that a file is read into memory for. */
export const maxBodyBytes: number = 256 * 2 ** 20

/** GridFS's own size of a chunk. */
const chunkBytes = 255 * 2 ** 10

/** Some 4 MB: one message that a slow line still carries within the time-out of a command. */
const chunksPerCommand = 16

/**
 * Large values as GridFS files, laid out as the specification says, so that MongoDB's tools read
 * them (https://github.com/mongodb/specifications/blob/master/source/gridfs/gridfs-spec.md). A
 * file's id is the version of the write. Its entry is made before its chunks and goes after them,
 * so that nothing is ever left behind that no entry tells of.
 */
export class GridfsBodies implements Bodies {
  readonly #files: MongoCollection
  readonly #chunks: MongoCollection
  readonly #sweep: OrphanSweep

  private constructor(collection: OpenCollection) {
    this.#files = collection('.files')
    this.#chunks = collection('.chunks')
    this.#sweep = new OrphanSweep(collection(), this.#files, (ids) => this.#remove(ids))
  }

  static async open(collection: OpenCollection): Promise<GridfsBodies> {
    await collection('.chunks').createIndex({ files_id: 1, n: 1 }, { unique: true })
    return new GridfsBodies(collection)
  }

  takes(value: Uint8Array): boolean {
    return value.byteLength > inlineBytes
  }

  async write(version: string, key: string, value: Uint8Array): Promise<void> {
    await this.#sweep.some()
    const entry = {
      _id: '$_id',
      length: BigInt(value.byteLength),
      chunkSize: chunkBytes,
      uploadDate: '$$NOW',
      filename: { $literal: key },
    }
    const filter = { _id: { $eq: version } }
    await this.#files.updateOne(filter, [{ $replaceWith: entry }], { ...writing, upsert: true })
    const step = chunkBytes * chunksPerCommand
    for (let at = 0; at < value.byteLength; at += step) {
      const chunks = chunksOf(version, value.subarray(at, at + step), at / chunkBytes)
      await this.#chunks.insertMany(chunks, writing)
    }
  }

  async read(version: string, length: number): Promise<Uint8Array | undefined> {
    if (!(length >= 0 && length <= maxBodyBytes)) return undefined
    const projection = { _id: 0, n: 1, data: 1 }
    const options = { ...reading, projection, sort: { n: 1 } }
    const value = new Uint8Array(length)
    let at = 0
    for await (const chunk of this.#chunks.find({ files_id: { $eq: version } }, options)) {
      const { n, data } = chunk as { n: unknown; data: unknown }
      if (n !== at / chunkBytes || !(data instanceof Uint8Array)) return undefined
      if (data.byteLength !== Math.min(chunkBytes, length - at)) return undefined
      value.set(data, at)
      at += data.byteLength
    }
    return at === length ? value : undefined
  }

  /** The documents are gone already, so that a failure here is no failure of the operation. */
  async remove(versions: readonly string[]): Promise<void> {
    await this.#remove(versions).catch(() => {})
  }

  async #remove(ids: readonly string[]): Promise<void> {
    await this.#chunks.deleteMany({ files_id: { $in: ids } }, writing)
    await this.#files.deleteMany({ _id: { $in: ids } }, writing)
  }
}

function chunksOf(version: string, part: Uint8Array, first: number): object[] {
  return Array.from({ length: Math.ceil(part.byteLength / chunkBytes) }, (_, index) => ({
    files_id: version,
    n: first + index,
    data: part.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  }))
}
