import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { Long } from 'bson'
import { MongoCollection, projected } from './mongo-collection.ts'
import type { Index } from './mongo-collection.ts'
import { MongoError, toNumber } from './mongo-values.ts'
import type { Document } from './mongo-values.ts'
import { MessageSplitter, readRequest, writeReply } from './mongo-wire.ts'

export interface MongoStandInOptions {
  port?: number
  /** Seconds between two sweeps of what the TTL indexes say has expired; mongod takes 60. */
  ttlInterval?: number
}

/**
 * A stand-in for a standalone mongod, in memory: **not mongod**, which this project cannot install
 * everywhere. It speaks the wire protocol (OP_MSG) to the official driver, and knows the commands,
 * operators and stages that behalf's stores and their tests use; any other is an error, never a
 * wrong answer. There is no replica set, no transaction, no authentication and no collation.
 *
 * The same tests run against a real server when `MONGODB_URL` is set.
 */
export async function startMongoStandIn(options: MongoStandInOptions = {}): Promise<MongoStandIn> {
  const standIn = new MongoStandIn()
  await standIn.listen(options)
  return standIn
}

interface Cursor {
  namespace: string
  documents: Document[]
}

type Command = (command: Document, database: string) => Document

export class MongoStandIn {
  readonly #collections = new Map<string, MongoCollection>()
  readonly #cursors = new Map<number, Cursor>()
  readonly #sockets = new Set<Socket>()
  readonly #server: Server = createServer((socket) => this.#serve(socket))
  /** The names of the commands that came in, handshakes left out. */
  readonly seen: string[] = []
  #lastCursor = 0
  #failPoint: { times: number; commands: unknown[]; code: number } | undefined
  #sweeper: NodeJS.Timeout | undefined

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `mongodb://127.0.0.1:${port}/test`
  }

  async listen({ port = 0, ttlInterval = 1 }: MongoStandInOptions): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#sweeper = setInterval(() => this.#sweep(), ttlInterval * 1000)
    this.#sweeper.unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #sweep(): void {
    for (const collection of this.#collections.values()) collection.sweep()
  }

  #serve(socket: Socket): void {
    const splitter = new MessageSplitter()
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
    socket.on('data', (data) => {
      for (const message of splitter.split(data)) {
        const request = readRequest(message)
        const reply = this.#answer(request.command)
        if (!request.silent) socket.write(writeReply(request, reply))
      }
    })
  }

  #answer(command: Document): Document {
    try {
      return { ok: 1, ...this.#run(command) }
    } catch (error) {
      const { code = 8, codeName, message, extra } = error as Partial<MongoError>
      return { ok: 0, errmsg: message, code, codeName, ...extra }
    }
  }

  #run(command: Document): Document {
    const [name = ''] = Object.keys(command)
    const run = this.#commands[name.toLowerCase()]
    if (!run) throw new MongoError(59, 'CommandNotFound', `no such command: '${name}'`)
    if (!/^(?:hello|ismaster|ping|endsessions)$/i.test(name)) this.seen.push(name)
    this.#failWhenAsked(name)
    const database = typeof command['$db'] === 'string' ? command['$db'] : 'admin'
    return run(command, database)
  }

  /** As mongod's own fail point `failCommand`, which test builds of it have as well. */
  #failWhenAsked(name: string): void {
    const point = this.#failPoint
    if (!point || point.times === 0 || !point.commands.includes(name)) return
    point.times -= 1
    throw new MongoError(point.code, 'FailPoint', 'failing as the fail point asks')
  }

  #collection(database: string, name: unknown): MongoCollection {
    const namespace = `${database}.${String(name)}`
    let collection = this.#collections.get(namespace)
    if (!collection) {
      collection = new MongoCollection(namespace)
      this.#collections.set(namespace, collection)
    }
    return collection
  }

  readonly #commands: Readonly<Record<string, Command>> = {
    hello: () => handshake(),
    ismaster: () => handshake(),
    ping: () => ({}),
    endsessions: () => ({}),
    buildinfo: () => ({ version: '7.0.0', versionArray: [7, 0, 0, 0], standIn: true }),
    configurefailpoint: ({ mode, data }) => {
      const { times } = mode as { times?: unknown }
      const { failCommands = [], errorCode } = (data ?? {}) as {
        failCommands?: unknown[]
        errorCode?: unknown
      }
      this.#failPoint = {
        times: times === undefined ? 0 : toNumber(times),
        commands: failCommands,
        code: toNumber(errorCode ?? 8),
      }
      return {}
    },
    insert: (command, database) => {
      const collection = this.#collection(database, command['insert'])
      return each(command, command['documents'], (document) => {
        collection.insert(document)
        return { n: 1 }
      })
    },
    update: (command, database) => {
      const collection = this.#collection(database, command['update'])
      return each(command, command['updates'], ({ q, u, multi, upsert }) => {
        const options = { multi: Boolean(multi), upsert: Boolean(upsert) }
        const result = collection.update(q as Document, u as Document, options)
        const { matched, modified, upserted } = result
        return { n: matched + (upserted === undefined ? 0 : 1), nModified: modified, upserted }
      })
    },
    delete: (command, database) => {
      const collection = this.#collection(database, command['delete'])
      return each(command, command['deletes'], ({ q, limit }) => ({
        n: collection.delete(q as Document, Number(limit)).length,
      }))
    },
    findandmodify: (command, database) => {
      const collection = this.#collection(database, command['findAndModify'])
      return findAndModify(collection, command)
    },
    find: (command, database) => {
      const { sort, skip, limit, singleBatch, batchSize, projection } = command
      const found = this.#collection(database, command['find']).find(
        command['filter'] as Document,
        {
          sort: sort as Document | undefined,
          skip: Number(skip ?? 0),
          limit: Number(limit ?? 0),
        },
      )
      const documents = found.map((document) => projected(document, projection as Document))
      const size = singleBatch ? Infinity : Number(batchSize ?? 101)
      return this.#open(`${database}.${String(command['find'])}`, documents, size)
    },
    getmore: (command) => {
      const id = toNumber(command['getMore'])
      const cursor = this.#cursors.get(id)
      if (!cursor) throw new MongoError(43, 'CursorNotFound', `cursor id ${id} not found`)
      const nextBatch = cut(cursor.documents, Number(command['batchSize'] ?? Infinity))
      const left = cursor.documents.length > 0
      if (!left) this.#cursors.delete(id)
      return { cursor: { nextBatch, id: Long.fromNumber(left ? id : 0), ns: cursor.namespace } }
    },
    killcursors: (command) => {
      const ids = command['cursors'] as unknown[]
      for (const id of ids) this.#cursors.delete(toNumber(id))
      return { cursorsKilled: ids, cursorsNotFound: [], cursorsAlive: [], cursorsUnknown: [] }
    },
    createindexes: (command, database) => {
      const collection = this.#collection(database, command['createIndexes'])
      const before = collection.indexes.length
      for (const index of command['indexes'] as Index[]) collection.createIndex(index)
      return { numIndexesBefore: before, numIndexesAfter: collection.indexes.length }
    },
    dropindexes: (command, database) => {
      this.#collection(database, command['dropIndexes']).dropIndex(String(command['index']))
      return {}
    },
    listindexes: (command, database) => {
      const { indexes } = this.#collection(database, command['listIndexes'])
      return this.#open(`${database}.$cmd.listIndexes`, [...indexes], Infinity)
    },
    drop: (command, database) => {
      this.#collections.delete(`${database}.${String(command['drop'])}`)
      return {}
    },
    dropdatabase: (_command, database) => {
      for (const name of this.#collections.keys()) {
        if (name.startsWith(`${database}.`)) this.#collections.delete(name)
      }
      return { dropped: database }
    },
  }

  #open(namespace: string, documents: Document[], batchSize: number): Document {
    const firstBatch = cut(documents, batchSize)
    let id = 0
    if (documents.length > 0) {
      this.#lastCursor += 1
      id = this.#lastCursor
      this.#cursors.set(id, { namespace, documents })
    }
    return { cursor: { firstBatch, id: Long.fromNumber(id), ns: namespace } }
  }
}

function handshake(): Document {
  return {
    helloOk: true,
    isWritablePrimary: true,
    ismaster: true,
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    connectionId: 1,
    minWireVersion: 0,
    maxWireVersion: 21,
    readOnly: false,
  }
}

interface Written {
  n: number
  nModified?: number
  upserted?: unknown
}

/** Runs each of a command's writes; ordered ones stop at the first that fails. */
function each(command: Document, items: unknown, write: (item: Document) => Written): Document {
  const total = { n: 0, nModified: 0 }
  const upserted: Document[] = []
  const writeErrors: Document[] = []
  for (const [index, item] of (items as Document[]).entries()) {
    try {
      const written = write(item)
      total.n += written.n
      total.nModified += written.nModified ?? 0
      if (written.upserted !== undefined) upserted.push({ index, _id: written.upserted })
    } catch (error) {
      const { code = 8, message, extra } = error as Partial<MongoError>
      writeErrors.push({ index, code, errmsg: message, ...extra })
      if (command['ordered'] !== false) break
    }
  }
  return {
    ...total,
    ...(upserted.length > 0 ? { upserted } : {}),
    ...(writeErrors.length > 0 ? { writeErrors } : {}),
  }
}

function findAndModify(collection: MongoCollection, command: Document): Document {
  const query = (command['query'] ?? {}) as Document
  const fields = command['fields'] as Document | undefined
  const shown = (document: Document | undefined) => (document ? projected(document, fields) : null)
  if (command['remove']) {
    const [removed] = collection.delete(query, 1)
    return { value: shown(removed), lastErrorObject: { n: removed ? 1 : 0 } }
  }
  const upsert = Boolean(command['upsert'])
  const result = collection.update(query, command['update'] as Document, { upsert })
  const { matched, upserted, before, after } = result
  return {
    value: shown(command['new'] ? after : before),
    lastErrorObject: {
      n: matched + (upserted === undefined ? 0 : 1),
      updatedExisting: matched > 0,
      upserted,
    },
  }
}

/** As many as are asked for, and no more than mongod's 16 MB for a batch. */
function cut(documents: Document[], count: number): Document[] {
  let bytes = 0
  let taken = 0
  while (taken < documents.length && taken < count && (taken === 0 || bytes < 16 * 2 ** 20)) {
    bytes += roughSize(documents[taken])
    taken += 1
  }
  if (taken > 1 && bytes > 16 * 2 ** 20) taken -= 1
  return documents.splice(0, taken)
}

function roughSize(document: Document | undefined): number {
  const values = Object.values(document ?? {})
  return values.reduce<number>(
    (sum, value) => sum + 64 + ((value as { position?: number } | null)?.position ?? 0),
    0,
  )
}
