/** What a command is made of; text goes as UTF-8. */
export type Argument = string | Buffer

/** The commands that are ever sent; scripts use a few more (see `redisStore`), drivers their own. */
export const commands = [
  'eval',
  'evalsha',
  'get',
  'hdel',
  'info',
  'mget',
  'publish',
  'role',
  'scan',
  'select',
  'sentinel',
  'set',
  'unlink',
] as const

/** One of {@link commands}. */
export type Command = (typeof commands)[number]

/** One server. Bulk strings come as Buffers; what the server refuses rejects with its words. */
export interface RedisNode {
  /** Where it listens, if it is one of a cluster. */
  readonly at?: { host: string; port: number }
  call(command: Command, args: readonly Argument[]): Promise<unknown>
}

/** A connection of its own that hears what is published in one channel. */
export interface RedisSubscription {
  /** Resolves once it has ended, for good. */
  readonly ended: Promise<void>
  /** Rejects where the server does not answer. */
  ping(): Promise<unknown>
  close(): void
}

/** A connected client, the same whichever driver is behind it. */
export interface RedisConnection {
  /** Whether keys live on several servers, so that one command can be about one slot only. */
  readonly clustered: boolean
  /** What the client itself puts before every key; only patterns and listings show it. */
  readonly keyPrefix: string
  /** `false` once it has ended for good. */
  readonly usable: boolean
  /** Sends a command about `key` to the server that may write it. */
  call(key: string, command: Command, args: readonly Argument[]): Promise<unknown>
  /** All servers that may write. */
  masters(): Promise<readonly RedisNode[]>
  /** Connects once more, to the same server or to one of the cluster; never connects again by itself. */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<RedisSubscription>
  /** Ends a client that was made here; what waits for a reply rejects. */
  close(): void
}

/** Milliseconds in which a server has to take a subscription, or to show that it is still there. */
export const subscribeMs = 2_000

/** Rejects after `ms`, unless that is `Infinity`; what comes then is dropped. */
export function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  if (ms === Infinity) return promise
  return new Promise((resolve, reject) => {
    // One more turn after a stall of the event loop lets replies in that have long arrived.
    const timer = setTimeout(() => setImmediate(() => reject(new NoReply())), ms)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the driver's, unchanged
        reject(error)
      },
    )
  })
}

class NoReply extends Error {
  readonly code = 'ETIMEDOUT'
}

/** The first word of an error that the server itself answered with, such as `NOSCRIPT`. */
export function refusal(error: unknown): string | undefined {
  return error instanceof Error ? /^[A-Z]{2,20}(?= |$)/.exec(error.message)?.[0] : undefined
}
