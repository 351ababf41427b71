import { CallsUnderWay } from './calls-under-way.ts'
import { storeFailure } from './failure.ts'
import {
  checkAmount,
  checkChannel,
  checkKey,
  checkPrefix,
  checkValue,
  isKey,
  lifetime,
} from './limits.ts'
import { refusal } from './redis/connection.ts'
import type { RedisDriverName } from './redis/driver.ts'
import { ioredisConnection, isIoredisClient } from './redis/ioredis.ts'
import type { IoredisClient } from './redis/ioredis.ts'
import type { RedisLayout } from './redis/layout.ts'
import { isNodeRedisClient, nodeRedisConnection } from './redis/node-redis.ts'
import type { NodeRedisClient } from './redis/node-redis.ts'
import { RedisNotices } from './redis/notices.ts'
import { connector, layoutOn } from './redis/open.ts'
import { checkLayoutOptions, mergedOptions } from './redis/options.ts'
import type { RedisNodeAddress, RedisStoreOptions, RedisTlsOptions } from './redis/options.ts'
import { RedisSessions } from './redis/sessions.ts'
import { connectionSettings, layoutSettings } from './redis/settings.ts'
import type { RedisLayoutSettings } from './redis/settings.ts'
import type { Notices, SetOptions, Store, StoredValue } from './store.ts'

export type {
  IoredisClient,
  NodeRedisClient,
  RedisDriverName,
  RedisNodeAddress,
  RedisStoreOptions,
  RedisTlsOptions,
}

/**
 * A client that can be handed in: `Redis` or `Cluster` of ioredis 5 or 6; a client, pool, cluster
 * or sentinel of node-redis 5 or 6.
 */
export type RedisClient = IoredisClient | NodeRedisClient

/**
 * Keeps everything in Redis 6 or newer, or Valkey: one server, a Cluster, or the master that
 * sentinels name. `source` is a URL (`redis://user:password@host:6379/0?namespace=app`, `rediss:`
 * with TLS, `redis://a:7000,b:7001?cluster=true`, `redis://a:26379,b:26379?sentinel=mymaster`,
 * `redis+unix:///run/redis.sock?db=1`), options, or a connected client; `options` win over it.
 *
 * A client that was handed in keeps its own time limits and queues, and is its owner's to close. One
 * made here (one connection, to each node) fails fast: nothing is queued or sent again while the
 * server is away, and the first call after it is back connects anew.
 *
 * Make an ioredis that is handed in with `autoResendUnfulfilledCommands: false` and
 * `maxRetriesPerRequest: 0`: what it sends again after a lost connection may be applied twice.
 *
 * What was written is as safe as the server makes it: replication is asynchronous, so that a
 * fail-over may take the last moments.
 *
 * An ACL user needs its keys (`~namespace:*`, for the layout `hash` `~namespace`) and +get +set +mget
 * +unlink +scan +eval +evalsha +time +pttl +pexpire +persist; for the layout `hash` also +hget +hset
 * +hmget +hdel +hscan, for a db +select, for a Cluster +cluster, behind sentinels +role. +info lets
 * it look at what the server may drop; without it that is not checked. +publish, +subscribe, +ping and
 * the channels `&namespace:*` let processes tell each other what to drop from memory; not for a
 * sentinel client of node-redis that was handed in.
 *
 * Throws a `ConfigError` for a bad option, and at the first use when no driver is there or the
 * server may drop what has to be kept (see {@link RedisStoreOptions.durable}).
 */
export function redisStore(
  source: string | URL | RedisClient | RedisStoreOptions,
  options: RedisStoreOptions = {},
): Store {
  if (isRedisClient(source)) return storeOf(source, options)
  return ownStore(mergedOptions(source, options))
}

/** Tells whether `value` is a client that {@link redisStore} takes, whether connected or not. */
export function isRedisClient(value: unknown): value is RedisClient {
  if (typeof value !== 'object' || value === null) return false
  return isIoredisClient(value) || isNodeRedisClient(value)
}

function storeOf(client: RedisClient, options: RedisStoreOptions): Store {
  checkLayoutOptions(options)
  const settings = layoutSettings(options)
  const ioredis = isIoredisClient(client) ? ioredisConnection(client) : undefined
  const connect = () => ioredis ?? nodeRedisConnection(client as NodeRedisClient)
  const open = async () => ({ layout: await layoutOn(connect(), settings), owned: false })
  const canListen = !('getSentinelNode' in client)
  return new RedisStore(new RedisSessions(open, 0), settings, canListen)
}

function ownStore(options: RedisStoreOptions): Store {
  const settings = layoutSettings(options)
  const connection = connectionSettings(options)
  const connect = connector(connection)
  const open = async () => {
    const connected = await connect()
    try {
      return { layout: await layoutOn(connected, settings), owned: true }
    } catch (error) {
      connected.close()
      throw error
    }
  }
  return new RedisStore(new RedisSessions(open, connection.commandTimeoutMs), settings)
}

/** So often what has expired is looked for, where the server does not do it by itself. */
const writesPerSweep = 16

class RedisStore implements Store {
  declare readonly notices?: (channel: string) => Notices
  readonly reach = 'cluster'
  readonly durable: boolean
  /** Redis takes 512 MB, but serves nobody else while it copies a value. */
  readonly maxValueBytes = 64 * 2 ** 20
  readonly #sessions: RedisSessions
  #writes = 0
  readonly #calls = new CallsUnderWay()
  readonly #listening = new Set<() => void>()

  constructor(
    sessions: RedisSessions,
    { durable, namespace }: RedisLayoutSettings,
    canListen = true,
  ) {
    this.#sessions = sessions
    this.durable = durable
    if (!canListen) return
    this.notices = (channel) =>
      new RedisNotices(sessions, `${namespace}:${checkChannel(channel)}`, this.#listening)
  }

  get(key: string): Promise<StoredValue | undefined> {
    return this.#run(key, (layout) => layout.get(key))
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const lives = this.#checkWrite(value, options)
    const bytes = this.#kept(value)
    return this.#write(key, (layout) => layout.set(key, bytes, lives))
  }

  delete(key: string): Promise<boolean> {
    return this.#run(key, (layout) => layout.delete(key))
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const lives = this.#checkWrite(value, options)
    const bytes = this.#kept(value)
    return this.#write(key, (layout) => layout.compareAndSwap(key, version, bytes, lives))
  }

  compareAndDelete(key: string, version: string): Promise<boolean> {
    return this.#run(key, (layout) => layout.compareAndDelete(key, version))
  }

  async *keys(prefix: string): AsyncGenerator<string, void, undefined> {
    checkPrefix(prefix)
    const { pages } = await this.#run([], async (layout) => ({ pages: layout.pages(prefix) }))
    const seen = new Set<string>()
    for (;;) {
      const page = await this.#run([], () => pages.next())
      if (page.done) return
      for (const key of page.value) {
        if (seen.has(key) || !isKey(key)) continue
        seen.add(key)
        yield key
      }
    }
  }

  async clear(prefix: string): Promise<void> {
    checkPrefix(prefix)
    await this.#run([], (layout) => layout.clear(prefix))
  }

  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    const asked = [...keys]
    return this.#run(asked, (layout) => layout.getMany(asked))
  }

  async setMany(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    options?: SetOptions,
  ): Promise<void> {
    const lives = lifetime(options?.ttl)
    for (const [, value] of entries) checkValue(value, this.maxValueBytes)
    const keys = entries.map(([key]) => key)
    const copies = entries.map(([key, value]) => [key, new Uint8Array(value)] as const)
    return this.#write(keys, (layout) => layout.setMany(copies, lives))
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    const asked = [...keys]
    return this.#run(asked, (layout) => layout.deleteMany(asked))
  }

  async increment(key: string, by: number, options?: SetOptions): Promise<number> {
    checkAmount(by)
    const lives = lifetime(options?.ttl)
    return this.#write(key, (layout) => layout.increment(key, by, lives))
  }

  ttl(key: string): Promise<number | undefined> {
    return this.#run(key, (layout) => layout.ttl(key))
  }

  async expire(key: string, ttl: number): Promise<boolean> {
    const lives = lifetime(ttl)
    return this.#run(key, (layout) => layout.expire(key, lives))
  }

  /** Lets what has begun come to its end: it may be a token that exists nowhere else. */
  async close(): Promise<void> {
    for (const stop of this.#listening) stop()
    await this.#calls.close(() => this.#sessions.close())
  }

  #checkWrite(value: Uint8Array, options: SetOptions | undefined): number {
    checkValue(value, this.maxValueBytes)
    return lifetime(options?.ttl)
  }

  /** The caller may change its bytes while we connect; once connected they are copied at once. */
  #kept(value: Uint8Array): Uint8Array {
    return this.#sessions.layout ? value : new Uint8Array(value)
  }

  #write<T>(
    keys: string | readonly string[],
    operation: (layout: RedisLayout) => Promise<T>,
  ): Promise<T> {
    const result = this.#run(keys, operation)
    this.#writes += 1
    if (this.#writes % writesPerSweep === 0) this.#sessions.layout?.sweep().catch(() => {})
    return result
  }

  /** The driver's own error may quote credentials, keys and values, so that only its kind goes on. */
  async #run<T>(
    keys: string | readonly string[],
    operation: (layout: RedisLayout) => Promise<T>,
  ): Promise<T> {
    if (typeof keys === 'object') for (const key of keys) checkKey(key)
    else checkKey(keys)
    this.#calls.begin()
    try {
      return await operation(this.#sessions.layout ?? (await this.#sessions.connect()))
    } catch (error) {
      throw failure(this.#sessions.failed(error))
    } finally {
      this.#calls.end()
    }
  }
}

/** The word that a server refuses with, such as NOAUTH or OOM, says what to look at. */
function failure(error: unknown): unknown {
  const word = refusal(error)
  const named = word === undefined ? error : Object.assign(new Error(), { code: word })
  return storeFailure('Redis store', named)
}
