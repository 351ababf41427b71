import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { cachedFetch } from '../../src/cache/index.ts'
import { createStore } from '../../src/stores/create-store.ts'
import { startRedis } from '../support/redis-servers.ts'
import { builtProgram } from './built-program.ts'
import { type outageManners, takeAway } from './outage-torture.ts'
import type { TokenResult } from './token-result.ts'

/** How the cache's store goes away, and for how long. */
export interface CacheOutageOptions {
  manner: (typeof outageManners)[number]
  seconds: number
  /** Requests of each second, through the cache. */
  rate: number
  /** Milliseconds by which 99 of 100 may be slower than without a cache, once it is known. */
  bar?: number | undefined
  /** Is told of each hundred requests. */
  progress?: ((requests: number) => void) | undefined
}

interface Sample {
  at: number
  took: number
  isHit: boolean
  failed?: string
}

/** One of so many goes to the API without a cache, beside the others. */
const plainEach = 5
/** Milliseconds until the breaker has seen enough. */
const untilKnown = 1_500
/** Seconds until there have to be hits again. */
const backWithin = 2
/** Seconds before and after the outage. */
const around = 2.5
/** Few, so that they are soon asked for again where Redis comes back empty. */
const users = 10
const paths = 4

/**
 * Requests come at a steady rate, whatever becomes of them, while the store is taken away and given
 * back. Some go to the same API without a cache.
 */
export async function tortureCacheOutage(options: CacheOutageOptions): Promise<TokenResult> {
  const [redis, upstream] = [await startRedis(), await SlowApi.start()]
  const store = createStore(redis.url)
  await store.get('connect')
  const load = new SteadyLoad(store, upstream.url, options)
  try {
    const running = load.run()
    await sleep(around * 1000)
    const giveBack = await takeAway(redis, options.manner)
    const awayAt = performance.now()
    await sleep(options.seconds * 1000)
    const stillAwayAt = performance.now()
    await giveBack()
    const backAt = performance.now()
    await sleep((around + backWithin) * 1000)
    load.end()
    await running
    return judge(options, load, { awayAt, stillAwayAt, backAt })
  } finally {
    load.end()
    await store.close().catch(() => {})
    await redis.close()
    upstream.kill()
  }
}

function judge(
  { rate, seconds, bar = Infinity }: CacheOutageOptions,
  { cached, plain }: SteadyLoad,
  { awayAt, stillAwayAt, backAt }: { awayAt: number; stillAwayAt: number; backAt: number },
): TokenResult {
  const knownAt = awayAt + untilKnown
  const isKnown = ({ at, took }: Sample) => at > knownAt && at + took < stillAwayAt
  const [during, without] = [cached.filter(isKnown), plain.filter(isKnown)]
  const failed = cached.flatMap((one) => (one.failed === undefined ? [] : [one.failed]))
  const firstHit = cached
    .filter(({ at, isHit }) => isHit && at > backAt)
    .reduce((first, { at, took }) => Math.min(first, at + took), Infinity)
  const [ours, theirs] = [p99(during), p99(without)]
  const figures = {
    'requests a second': Math.round(cached.length / (seconds + 2 * around + backWithin)),
    failed: failed.length,
    'hits before it': cached.filter(({ at, isHit }) => isHit && at < awayAt).length,
    'p99 while it is known, ms': Math.round(ours),
    'p99 without a cache, ms': Math.round(theirs),
    'longest, ms': Math.round(Math.max(...cached.map(({ took }) => took))),
    'hits again after, ms': Math.round(firstHit - backAt),
  }
  const wrong = failed.slice(0, 10)
  if (during.length < (rate * (seconds - untilKnown / 1000)) / 10) wrong.push('hardly any load')
  if (!(firstHit - backAt < backWithin * 1000)) wrong.push('no hits again')
  if (ours > theirs + bar) wrong.push(`p99 ${ours - theirs} ms above that of the API`)
  return { figures, wrong }
}

/** Asks at a steady rate for what a few users see, through a cache and without it. */
class SteadyLoad {
  readonly cached: Sample[] = []
  readonly plain: Sample[] = []
  readonly #fetch: typeof fetch
  readonly #url: string
  /** Of all requests, in a second. */
  readonly #pace: number
  readonly #progress: (requests: number) => void
  #isOver = false

  constructor(
    store: ReturnType<typeof createStore>,
    url: string,
    { rate, progress = () => {} }: CacheOutageOptions,
  ) {
    this.#url = url
    this.#pace = (rate * plainEach) / (plainEach - 1)
    this.#progress = progress
    this.#fetch = cachedFetch(fetch, {
      store,
      defaultTtl: 60,
      partition: ({ headers }) => headers.get('authorization') ?? undefined,
      secret: 'a-secret-of-the-torture-that-is-long-enough-0123456789',
    }) as typeof fetch
  }

  async run(): Promise<void> {
    const asked = new Set<Promise<void>>()
    const startedAt = performance.now()
    for (let count = 0; !this.#isOver; count += 1) {
      const due = startedAt + (count * 1000) / this.#pace
      if (due > performance.now()) await sleep(due - performance.now())
      const ask = this.#ask(count).finally(() => asked.delete(ask))
      asked.add(ask)
      if (count % (25 * plainEach) === 0) this.#progress(25 * (plainEach - 1))
    }
    await Promise.all(asked)
  }

  end(): void {
    this.#isOver = true
  }

  async #ask(count: number): Promise<void> {
    const isPlain = count % plainEach === 0
    const user = `user-${count % users}`
    const path = `${this.#url}${count % paths}`
    const at = performance.now()
    const sample = await this.#sample(isPlain ? fetch : this.#fetch, path, user)
    const one = { at, took: performance.now() - at, ...sample }
    if (isPlain) this.plain.push(one)
    else this.cached.push(one)
  }

  async #sample(
    send: typeof fetch,
    url: string,
    user: string,
  ): Promise<Pick<Sample, 'isHit' | 'failed'>> {
    try {
      const reply = await send(url, { headers: { authorization: user } })
      const text = await reply.text()
      const isHit = reply.headers.get('cache-status')?.includes('; hit') === true
      const isRight = text === `${user} ${new URL(url).pathname}`
      return { isHit, ...(isRight ? {} : { failed: `${user} was answered ${text}` }) }
    } catch (error) {
      return { isHit: false, failed: String(error) }
    }
  }
}

function p99(samples: readonly Sample[]): number {
  const sorted = samples.map(({ took }) => took).toSorted((one, other) => one - other)
  return sorted[Math.floor(0.99 * (sorted.length - 1))] ?? Number.NaN
}

/** An API in a process of its own, so that it is as quick as it says while the load is at work. */
class SlowApi {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}/`
    process.once('exit', this.kill)
  }

  static async start(): Promise<SlowApi> {
    const child = fork(await builtProgram('cache-api-program'), { execArgv: [] })
    const [port] = (await once(child, 'message')) as [number]
    return new SlowApi(child, port)
  }

  readonly kill = (): void => {
    process.off('exit', this.kill)
    this.#child.kill('SIGKILL')
  }
}
