import { ConfigError } from '../../errors.ts'
import { within } from './connection.ts'
import type { Argument, Command, RedisConnection, RedisNode } from './connection.ts'
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
  sendCommand(words: Words, options: object): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): void
  connect(): Promise<unknown>
  destroy(): unknown
}

interface Cluster extends Omit<Client, 'sendCommand'> {
  sendCommand(key: string, readOnly: boolean, words: Words, options: object): Promise<unknown>
  readonly masters: ReadonlyArray<Address & { client?: Client }>
  nodeClient(master: Address): Promise<Client>
}

interface Sentinel extends Omit<Client, 'sendCommand'> {
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
    return new ServerConnection(
      sentinel,
      (words) => sentinel.sendCommand(false, words, asBuffers),
      Infinity,
    )
  }
  const client = handedIn as unknown as Client
  return new ServerConnection(client, (words) => client.sendCommand(words, asBuffers), Infinity)
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
      return new ServerConnection(client, send, settings.commandTimeoutMs)
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

class ServerConnection implements RedisConnection {
  readonly clustered = false
  readonly keyPrefix = ''
  readonly #client: { readonly isReady: boolean; destroy(): unknown }
  readonly #send: (words: Words) => Promise<unknown>
  readonly #limitMs: number

  constructor(
    client: { readonly isReady: boolean; destroy(): unknown },
    send: (words: Words) => Promise<unknown>,
    limitMs: number,
  ) {
    this.#client = client
    this.#send = send
    this.#limitMs = limitMs
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

  close(): void {
    destroy(this.#cluster)
  }
}
