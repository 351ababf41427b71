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

/** What clients, clusters, sentinels and pools of node-redis 5 and 6 are recognised by. */
export interface NodeRedisClient {
  readonly isOpen: boolean
  sendCommand(...args: never[]): Promise<unknown>
  withTypeMapping(...args: never[]): unknown
}

type Words = readonly [Command, ...Argument[]]

/** A client or a pool of clients. */
interface Client {
  readonly isOpen: boolean
  readonly isReady: boolean
  /** A pool has none of its own, but executes functions with its clients. */
  readonly options?: { socket?: object }
  execute?<T>(use: (client: Client) => T): Promise<T>
  duplicate(overrides: object): Client
  subscribe(channel: string, listener: (message: string) => void): Promise<void>
  sendCommand(words: Words | readonly ['ping'], options?: object): Promise<unknown>
  on(event: 'error' | 'end', listener: (error?: Error) => void): void
  connect(): Promise<unknown>
  destroy(): unknown
}

interface Cluster extends Omit<Client, 'sendCommand' | 'execute'> {
  sendCommand(key: string, readOnly: boolean, words: Words, options: object): Promise<unknown>
  readonly masters: ReadonlyArray<Address & { client?: Client }>
  nodeClient(master: Address): Promise<Client>
}

interface Sentinel extends Omit<Client, 'sendCommand' | 'execute'> {
  sendCommand(readOnly: boolean, words: Words, options: object): Promise<unknown>
}

/** The package. */
interface NodeRedis {
  createClient: (options: object) => Client
  createCluster: (options: object) => Cluster
}

/** RESP's type `$` is a bulk string: 36 is its first byte. */
const asBuffers = { typeMapping: { 36: Buffer } }

/** Tells whether `value` is a client of node-redis. */
export function isNodeRedisClient(value: object): value is NodeRedisClient {
  if (!('withTypeMapping' in value && 'sendCommand' in value && 'isOpen' in value)) return false
  return typeof value.withTypeMapping === 'function' && typeof value.sendCommand === 'function'
}

/** Takes a client that was handed in. Throws a `ConfigError` as long as it is not connected. */
export function nodeRedisConnection(handedIn: NodeRedisClient): RedisConnection {
  if (!handedIn.isOpen) {
    throw new ConfigError(
      'The node-redis client that redisStore was given is not connected: await client.connect() first.',
    )
  }
  if ('nodeClient' in handedIn) return new ClusterConnection(handedIn as never, Infinity)
  if ('getSentinelNode' in handedIn) {
    const sentinel = handedIn as unknown as Sentinel
    const send = (words: Words) => sentinel.sendCommand(false, words, asBuffers)
    return new ServerConnection(sentinel, { send, limitMs: Infinity })
  }
  const client = handedIn as unknown as Client
  const send = (words: Words) => client.sendCommand(words, asBuffers)
  return new ServerConnection(client, { send, limitMs: Infinity, peer: client })
}

/** Makes clients with the package `redis`. */
export function nodeRedisDriver({ createClient, createCluster }: NodeRedis): RedisDriver {
  return {
    async server(settings, address) {
      const { path, db } = settings
      const where = path === undefined ? address : { path }
      const client = createClient({
        ...clientOptions(settings),
        database: db,
        socket: { ...where, ...socketOptions(settings), reconnectStrategy: false },
      })
      await connected(client, settings)
      const send = (words: Words) => client.sendCommand(words, asBuffers)
      return new ServerConnection(client, {
        send,
        limitMs: settings.commandTimeoutMs,
        peer: client,
      })
    },
    async cluster(settings, addresses) {
      const cluster = createCluster({
        RESP: 2,
        rootNodes: addresses.map((address) => ({ socket: address })),
        // Without it connecting waits for every node, also for one that is lost.
        minimizeConnections: true,
        commandOptions,
        defaults: {
          ...clientOptions(settings),
          socket: { ...socketOptions(settings), reconnectStrategy: false },
        },
      })
      await connected(cluster, settings)
      return new ClusterConnection(cluster, settings.commandTimeoutMs)
    },
  }
}

/** The driver's own time limit ends with the sending, and costs more than ours. */
const commandOptions = { timeout: 0 }

function clientOptions({ username, password }: RedisSettings): object {
  // RESP 3 would bring nothing, and HELLO is a command that proxies and ACLs may lack.
  return { username, password, RESP: 2, disableOfflineQueue: true, commandOptions }
}

function socketOptions({ tls, connectTimeoutMs }: RedisSettings): object {
  return { ...(tls && { ...tls, tls: true }), connectTimeout: connectTimeoutMs }
}

async function connected(client: Client | Cluster, settings: RedisSettings): Promise<void> {
  // Every failure is told to who waits for a reply; this only keeps it from ending the process.
  client.on('error', () => {})
  try {
    await within(settings.connectTimeoutMs, client.connect())
  } catch (error) {
    destroy(client)
    throw error
  }
}

/** Throws where there is nothing to end. */
function destroy(client: { destroy(): unknown }): void {
  try {
    client.destroy()
  } catch {
    // It has ended already.
  }
}

interface ServerAccess {
  send: (words: Words) => Promise<unknown>
  limitMs: number
  /** What a connection for listening is made after. */
  peer?: Client
}

class ServerConnection implements RedisConnection {
  readonly clustered = false
  readonly keyPrefix = ''
  readonly #client: { readonly isReady: boolean; destroy(): unknown }
  readonly #send: (words: Words) => Promise<unknown>
  readonly #limitMs: number
  readonly #peer: Client | undefined

  constructor(
    client: { readonly isReady: boolean; destroy(): unknown },
    { send, limitMs, peer }: ServerAccess,
  ) {
    this.#client = client
    this.#send = send
    this.#limitMs = limitMs
    this.#peer = peer
  }

  get usable(): boolean {
    return this.#client.isReady
  }

  call(_key: string, command: Command, args: readonly Argument[]): Promise<unknown> {
    return within(this.#limitMs, this.#send([command, ...args]))
  }

  async masters(): Promise<readonly RedisNode[]> {
    return [{ call: (command, args) => this.call('', command, args) }]
  }

  async subscribe(
    channel: string,
    onMessage: (message: string) => void,
  ): Promise<RedisSubscription> {
    if (this.#peer) return subscribed(this.#peer, channel, onMessage)
    throw new Error('A sentinel client cannot be duplicated')
  }

  close(): void {
    destroy(this.#client)
  }
}

class ClusterConnection implements RedisConnection {
  readonly clustered = true
  readonly keyPrefix = ''
  readonly #cluster: Cluster
  readonly #limitMs: number

  constructor(cluster: Cluster, limitMs: number) {
    this.#cluster = cluster
    this.#limitMs = limitMs
  }

  get usable(): boolean {
    // The driver would go on using a node's client that has ended.
    const { isOpen, masters } = this.#cluster
    return isOpen && masters.every(({ client }) => client?.isOpen ?? true)
  }

  call(key: string, command: Command, args: readonly Argument[]): Promise<unknown> {
    const reply = this.#cluster.sendCommand(key, false, [command, ...args], asBuffers)
    return within(this.#limitMs, reply)
  }

  async masters(): Promise<readonly RedisNode[]> {
    return this.#cluster.masters.map((master) => ({
      at: { host: master.host, port: master.port },
      call: async (command, args) => {
        const asked = this.#cluster.nodeClient(master)
        const client = await within(this.#limitMs, asked)
        return within(this.#limitMs, client.sendCommand([command, ...args], asBuffers))
      },
    }))
  }

  /** What is published at one server of a cluster is heard at all. */
  async subscribe(
    channel: string,
    onMessage: (message: string) => void,
  ): Promise<RedisSubscription> {
    const { masters } = this.#cluster
    const master = masters[Math.floor(Math.random() * masters.length)]
    if (!master) throw new Error('The cluster has no master')
    const peer = await within(subscribeMs, this.#cluster.nodeClient(master))
    return subscribed(peer, channel, onMessage)
  }

  close(): void {
    destroy(this.#cluster)
  }
}

async function subscribed(
  like: Client,
  channel: string,
  onMessage: (message: string) => void,
): Promise<RedisSubscription> {
  const peer = like.execute ? await like.execute((client) => client) : like
  const socket = { ...peer.options?.socket, reconnectStrategy: false }
  const client = peer.duplicate({ socket, disableOfflineQueue: true, commandOptions })
  const ended = new Promise<void>((resolve) => {
    client.on('error', () => resolve())
    client.on('end', () => resolve())
  })
  try {
    await within(subscribeMs, client.connect())
    await within(subscribeMs, client.subscribe(channel, onMessage))
  } catch (error) {
    destroy(client)
    throw error
  }
  const ping = () => within(subscribeMs, client.sendCommand(['ping']))
  return { ended, ping, close: () => destroy(client) }
}
