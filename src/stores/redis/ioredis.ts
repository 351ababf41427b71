import type { Writable } from 'node:stream'
import { ConfigError } from '../../errors.ts'
import { subscribeMs, within } from './connection.ts'
import type {
  Argument,
  Command,
  RedisConnection,
  RedisNode,
  RedisSubscription,
} from './connection.ts'
import type { RedisDriver } from './driver.ts'
import type { Address, RedisSettings } from './settings.ts'

/** What `Redis` and `Cluster` of ioredis 5 and 6 are recognised by. */
export interface IoredisClient {
  readonly isCluster: boolean
  callBuffer(...args: never[]): Promise<unknown>
}

/** The rest that is called. Named commands, because `callBuffer` fails under auto-pipelining. */
type Client = IoredisClient &
  Record<`${Command}Buffer`, (...args: readonly Argument[]) => Promise<unknown>> & {
    readonly status: string
    /** A cluster has none of its own. */
    readonly stream?: Writable
    readonly options: {
      keyPrefix?: string
      scaleReads?: unknown
      enableAutoPipelining?: boolean
      autoPipeliningIgnoredCommands?: readonly string[]
      host?: string
      port?: number
    }
    nodes(role: 'master'): Client[]
    on(event: 'error', listener: (error: Error) => void): void
    on(event: 'message', listener: (channel: string, message: string) => void): void
    once(event: 'end', listener: () => void): void
    duplicate(override: object): Client
    subscribe(channel: string): Promise<unknown>
    ping(): Promise<unknown>
    connect(): Promise<void>
    disconnect(): void
  }

type Ioredis = (new (options: object) => Client) & {
  Cluster: new (addresses: readonly Address[], options: object) => Client
}

/** Tells whether `value` is a client of ioredis. */
export function isIoredisClient(value: object): value is IoredisClient {
  return 'callBuffer' in value && typeof value.callBuffer === 'function' && 'isCluster' in value
}

/**
 * Takes a client that was handed in. Throws a `ConfigError` for a cluster that reads from replicas,
 * which lag behind what was compared and written, and for one that would send scripts to the wrong
 * servers: ioredis 5 groups them by their first argument, which is no key.
 */
export function ioredisConnection(handedIn: IoredisClient): RedisConnection {
  const client = handedIn as Client
  if (client.isCluster) checkCluster(client.options)
  return new IoredisConnection(client, Infinity)
}

function checkCluster(options: Client['options']): void {
  const { scaleReads = 'master', enableAutoPipelining = false } = options
  const apart = options.autoPipeliningIgnoredCommands ?? []
  if (scaleReads !== 'master') {
    throw new ConfigError(
      "redisStore needs an ioredis Cluster with scaleReads: 'master', because replicas lag behind.",
    )
  }
  if (enableAutoPipelining && !['eval', 'evalsha'].every((name) => apart.includes(name))) {
    throw new ConfigError(
      'redisStore needs an ioredis Cluster without enableAutoPipelining, or with ' +
        "autoPipeliningIgnoredCommands: ['eval', 'evalsha'].",
    )
  }
}

/** Makes clients with the package `ioredis`. */
export function ioredisDriver({ Redis }: { Redis: Ioredis }): RedisDriver {
  return {
    server(settings, address) {
      const { path, db } = settings
      const where = path === undefined ? address : { path }
      const client = new Redis({ ...where, ...clientOptions(settings), ...failFast })
      return connected(client, settings, db)
    },
    cluster(settings, addresses) {
      const client = new Redis.Cluster(addresses, {
        lazyConnect: true,
        // Its connections to nodes are made when they are needed, and those who need them wait.
        enableReadyCheck: false,
        clusterRetryStrategy: () => null,
        // A command whose connection broke may have been done: it must not be sent again.
        retryDelayOnFailover: 0,
        // Nodes are asked one after the other: one that hangs must leave time for another.
        slotsRefreshTimeout: settings.connectTimeoutMs / 4,
        // Names stay names, so that certificates can be checked against them.
        dnsLookup: (host: string, callback: (error: null, host: string) => void) =>
          callback(null, host),
        redisOptions: clientOptions(settings),
      })
      return connected(client, settings)
    },
  }
}

const failFast = {
  lazyConnect: true,
  enableOfflineQueue: false,
  retryStrategy: () => null,
}

function clientOptions(settings: RedisSettings): object {
  const { username, password, tls, connectTimeoutMs } = settings
  return {
    username,
    password,
    tls,
    // RESP 3 would bring nothing, and HELLO is a command that proxies and ACLs may lack.
    protocol: 2,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: 100,
  }
}

async function connected(
  client: Client,
  settings: RedisSettings,
  db = 0,
): Promise<RedisConnection> {
  let cause: Error | undefined
  client.on('error', (error) => (cause = error))
  try {
    await within(settings.connectTimeoutMs, client.connect())
    // ioredis itself goes on in database 0 where it was refused another.
    if (db !== 0) await send(client, settings.connectTimeoutMs, 'select', [String(db)])
  } catch (error) {
    client.disconnect()
    // What connect() rejects with only says that the connection was closed.
    throw cause ?? error
  }
  return new IoredisConnection(client, settings.commandTimeoutMs)
}

class IoredisConnection implements RedisConnection {
  readonly clustered: boolean
  readonly keyPrefix: string
  readonly #client: Client
  readonly #limitMs: number

  constructor(client: Client, limitMs: number) {
    this.clustered = client.isCluster
    this.keyPrefix = client.options.keyPrefix ?? ''
    this.#client = client
    this.#limitMs = limitMs
  }

  get usable(): boolean {
    return this.#client.status === 'ready'
  }

  call(_key: string, command: Command, args: readonly Argument[]): Promise<unknown> {
    return send(this.#client, this.#limitMs, command, args)
  }

  async masters(): Promise<readonly RedisNode[]> {
    if (!this.clustered) return [node(this.#client, this.#limitMs)]
    if (this.#client.nodes('master').length === 0) await this.call('', 'get', ['behalf'])
    return this.#client.nodes('master').map((client) => {
      const { host = '', port = 0 } = client.options
      return { ...node(client, this.#limitMs), at: { host, port } }
    })
  }

  async subscribe(
    channel: string,
    onMessage: (message: string) => void,
  ): Promise<RedisSubscription> {
    const client = (await this.#anyServer()).duplicate(subscriberOptions)
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    client.on('error', () => {})
    client.on('message', (_, message) => onMessage(message))
    try {
      await within(subscribeMs, client.connect())
      await within(subscribeMs, client.subscribe(channel))
    } catch (error) {
      client.disconnect()
      throw error
    }
    const ping = () => within(subscribeMs, client.ping())
    return { ended, ping, close: () => client.disconnect() }
  }

  close(): void {
    this.#client.disconnect()
  }

  /** What is published at one server of a cluster is heard at all. */
  async #anyServer(): Promise<Client> {
    if (!this.clustered) return this.#client
    await this.masters()
    const masters = this.#client.nodes('master')
    return masters[Math.floor(Math.random() * masters.length)] ?? this.#client
  }
}

/** Also of a client that was handed in: who listens has to know of each lost connection. */
const subscriberOptions = {
  ...failFast,
  enableReadyCheck: false,
  autoResubscribe: false,
  enableAutoPipelining: false,
  maxRetriesPerRequest: 0,
  monitor: false,
  protocol: 2,
  sentinelRetryStrategy: () => null,
  keyPrefix: '',
}

function node(client: Client, limitMs: number): RedisNode {
  return { call: (command, args) => send(client, limitMs, command, args) }
}

function send(
  client: Client,
  limitMs: number,
  command: Command,
  args: readonly Argument[],
): Promise<unknown> {
  const reply = client[`${command}Buffer`](...args)
  if (client.stream) gather(client.stream)
  return within(limitMs, reply)
}

/**
 * Sends what follows in the same turn of the event loop in one write: a write for each command
 * would cost more than all else.
 */
function gather(stream: Writable): void {
  if (stream.writableCorked > 0) return
  stream.cork()
  // Not nextTick, which comes between the requests of an HTTP server that arrive in the same turn.
  setImmediate(() => stream.uncork())
}
