import { setTimeout as sleep } from 'node:timers/promises'
import type { NoticeListener, Notices } from '../store.ts'
import type { RedisSubscription } from './connection.ts'
import type { RedisSessions } from './sessions.ts'

/** Milliseconds. */
const times = {
  /** A server that hangs, or a network that swallows everything, ends no connection. */
  ping: 5_000,
  /** Before it is tried again: the first time, and the longest. */
  retry: [100, 5_000],
} as const

/**
 * Notices by Redis' publish and subscribe, over a connection of their own. They are kept nowhere:
 * whatever is sent while the connection is lost is missed, which is why it counts as a gap.
 */
export class RedisNotices implements Notices {
  readonly #sessions: RedisSessions
  readonly #channel: string
  readonly #listening: Set<() => void>

  /** `listening` is told of what has to be stopped when the store is closed. */
  constructor(sessions: RedisSessions, channel: string, listening: Set<() => void>) {
    this.#sessions = sessions
    this.#channel = channel
    this.#listening = listening
  }

  readonly send = async (notice: string): Promise<void> => {
    const { connection } = this.#sessions.layout ?? (await this.#sessions.connect())
    await connection.call(this.#channel, 'publish', [this.#channel, notice])
  }

  readonly listen = (listener: NoticeListener): (() => void) => {
    const stopping = new AbortController()
    const stop = () => {
      this.#listening.delete(stop)
      stopping.abort()
    }
    this.#listening.add(stop)
    void this.#keepListening(listener, stopping.signal)
    return stop
  }

  async #keepListening(listener: NoticeListener, stopping: AbortSignal): Promise<void> {
    for (let failures = 0; !stopping.aborted; failures += 1) {
      const subscription = await this.#subscribe(listener, stopping)
      if (subscription) {
        failures = 0
        listener.onOpen()
        await lasts(subscription, stopping)
        subscription.close()
        listener.onGap()
      }
      await pause(failures, stopping)
    }
  }

  async #subscribe(
    listener: NoticeListener,
    stopping: AbortSignal,
  ): Promise<RedisSubscription | undefined> {
    try {
      const { connection } = await this.#sessions.connect()
      return await connection.subscribe(this.#channel, (notice) => {
        if (!stopping.aborted) listener.onNotice(notice)
      })
    } catch {
      return undefined
    }
  }
}

/** Resolves when the connection has ended, no longer answers, or nobody listens any more. */
async function lasts(subscription: RedisSubscription, stopping: AbortSignal): Promise<void> {
  const over = new AbortController()
  const end = () => over.abort()
  void subscription.ended.then(end)
  stopping.addEventListener('abort', end, { once: true })
  if (stopping.aborted) end()
  while (await slept(times.ping, over.signal)) await subscription.ping().catch(end)
  stopping.removeEventListener('abort', end)
}

async function pause(failures: number, stopping: AbortSignal): Promise<void> {
  const [first, longest] = times.retry
  // Processes that lost the same server do not all come back at the same moment.
  await slept(Math.min(longest, first * 2 ** failures) * (0.5 + Math.random()), stopping)
}

/** `false` when it was cut short. */
function slept(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, undefined, { signal, ref: false }).then(
    () => true,
    () => false,
  )
}
