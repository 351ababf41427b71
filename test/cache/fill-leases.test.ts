import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { Call, Outcome } from '../../src/cache/upstream/collapsing.ts'
import { FillLeases } from '../../src/cache/upstream/fill-leases.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { chaosStore } from '../../src/testing/index.ts'
import { component } from '../components.ts'
import { CachePeer } from '../support/cache-peer.ts'
import { startRedis, until } from '../support/redis-servers.ts'

const shared = (text: string): Outcome<Response> => ({
  shared: true,
  reply: () => new Response(text),
})
const own = (text: string, status = 200): Outcome<Response> => {
  const reply = new Response(text, { status })
  return { shared: false, reply, response: reply }
}
const here = () => new AbortController().signal

/** Some processes over one store, and the calls that they make. */
function fleet(store: Store, answer: () => Promise<Outcome<Response>>) {
  let entry: Outcome<Response> | undefined
  let calls = 0
  const find = async () => entry
  const call: Call<Response> = async () => {
    calls += 1
    const outcome = await answer()
    if (outcome.shared) entry = outcome
    return outcome
  }
  return {
    calls: () => calls,
    ask: (signal = here()) =>
      new FillLeases(store, 'behalf', 30).fetch('key', signal, { find, call }),
  }
}

const textOf = (outcome: Outcome<Response>) =>
  (outcome.shared ? outcome.reply() : outcome.reply).text()

describe('processes that miss the same entry at the same time', () => {
  test('make one call, and all have its reply', async () => {
    const { ask, calls } = fleet(memoryStore(), async () => {
      await sleep(100)
      return shared('body')
    })
    const all = await Promise.all(Array.from({ length: 20 }, () => ask()))
    expect(await Promise.all(all.map(textOf))).toEqual(all.map(() => 'body'))
    expect(calls()).toBe(1)
  })

  test('an entry that was filled meanwhile is found, and no call made', async () => {
    const { ask, calls } = fleet(memoryStore(), async () => shared('body'))
    await ask()
    await ask()
    expect(calls()).toBe(1)
  })

  test('wait no longer than 2 s for another, and then call themselves', async () => {
    const { ask, calls } = fleet(memoryStore(), async () => {
      await sleep(calls() === 1 ? 3_500 : 0)
      return shared('body')
    })
    const first = ask()
    await sleep(20)
    const startedAt = performance.now()
    await ask()
    const took = performance.now() - startedAt
    expect(took).toBeGreaterThan(1_900)
    expect(took).toBeLessThan(2_600)
    expect(calls()).toBe(2)
    await first
  })

  test('what is not to be shared releases all who wait together, and the next do not wait', async () => {
    const { ask, calls } = fleet(memoryStore(), async () => {
      await sleep(calls() === 1 ? 100 : 700)
      return own('private')
    })
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: 10 }, () => ask()))
    // One after the other would be 700 ms for each.
    expect(performance.now() - startedAt).toBeLessThan(1_900)
    expect(calls()).toBe(10)
    const again = performance.now()
    await Promise.all([ask(), ask()])
    expect(performance.now() - again).toBeLessThan(1_300)
    expect(calls()).toBe(12)
  })

  test.each([
    ['fails', () => Promise.reject(new TypeError('fetch failed'))],
    ['is answered with 503', () => Promise.resolve(own('later', 503))],
  ])('a call that %s leaves the next one to somebody else', async (_, fail) => {
    let fails = true
    const { ask, calls } = fleet(memoryStore(), async () => {
      await sleep(50)
      const now = fails
      fails = false
      return now ? fail() : shared('body')
    })
    const [first, ...others] = await Promise.allSettled([ask(), ask(), ask()])
    expect(first?.status === 'rejected' || !first?.value.shared).toBe(true)
    for (const other of others) {
      expect(other.status === 'fulfilled' && (await textOf(other.value))).toBe('body')
    }
    expect(calls()).toBe(2)
  })

  test('who gives up while waiting is gone at once', async () => {
    const { ask } = fleet(memoryStore(), async () => {
      await sleep(500)
      return shared('body')
    })
    const first = ask()
    await sleep(20)
    const startedAt = performance.now()
    await expect(ask(AbortSignal.timeout(50))).rejects.toThrow(/timeout/)
    expect(performance.now() - startedAt).toBeLessThan(400)
    await first
  })

  test('a call of several leases is still one', async () => {
    const { ask, calls } = fleet(memoryStore(), async () => {
      await sleep(1_500)
      return shared('body')
    })
    const first = ask()
    await sleep(1_200)
    const second = ask()
    expect(await Promise.all([first, second].map(async (one) => textOf(await one)))).toEqual([
      'body',
      'body',
    ])
    expect(calls()).toBe(1)
  })

  test.each(['throw', 'drop', 'corrupt'] as const)(
    'CA-18 a store whose every operation goes wrong (%s) costs no caller its reply',
    async (fault) => {
      const { ask } = fleet(chaosStore(memoryStore(), [{ fault }]), async () => shared('body'))
      const all = await Promise.all([ask(), ask(), ask()])
      expect(await Promise.all(all.map(textOf))).toEqual(['body', 'body', 'body'])
    },
  )

  test('what another has put into the place of a lease keeps nobody for longer than 2 s', async () => {
    const store = memoryStore()
    const { ask, calls } = fleet(store, async () => shared('body'))
    await ask()
    const places: string[] = []
    const spied = new Proxy(store, {
      get: (target, name) =>
        name === 'compareAndSwap'
          ? (...args: Parameters<Store['compareAndSwap']>) => {
              places.push(args[0])
              return target.compareAndSwap(...args)
            }
          : Reflect.get(target, name),
    })
    await new FillLeases(spied, 'behalf', 30).fetch('other', here(), {
      find: async () => undefined,
      call: async () => shared('other'),
    })
    expect(places[0]).toMatch(/^[a-z0-9:_-]{1,120}$/)
    await store.set(places[0]!, Buffer.from('anything'))
    const outcome = await new FillLeases(store, 'behalf', 30).fetch('other', here(), {
      find: async () => undefined,
      call: async () => shared('its own'),
    })
    expect(await textOf(outcome)).toBe('its own')
    expect(calls()).toBe(1)
  })
})

const redis = component('redis-server')

describe.skipIf(!redis.present)('processes over Redis', async () => {
  if (!redis.present) return
  const server = await startRedis()
  const upstream = await startUpstream()
  const peers: CachePeer[] = []
  const start = async (count: number) => {
    const started = await Promise.all(
      Array.from({ length: count }, () => CachePeer.start(server.url)),
    )
    peers.push(...started)
    // The first use loads a driver and connects.
    await Promise.all(started.map((peer) => peer.ask({ ask: 'read', key: 'first' })))
    return started
  }

  afterEach(async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.kill()))
    upstream.reset()
  })
  afterAll(async () => {
    upstream.close()
    await server.close()
  })

  test(
    'CA-15 200 calls in four of them are one upstream, with collapse: store',
    { retry: 2 },
    async () => {
      const four = await start(4)
      upstream.waits = [300]
      const key = `storm ${Math.random()}`
      const all = four.flatMap((peer) =>
        Array.from({ length: 50 }, () => peer.ask({ ask: 'fill', key, upstream: upstream.url })),
      )
      expect(new Set(await Promise.all(all))).toEqual(new Set(['reply 1']))
      expect(upstream.calls()).toBe(1)
    },
  )

  // It takes some of the two seconds that nobody waits beyond, which a busy machine may not have.
  test('one that was killed while it called costs one call more', { retry: 2 }, async () => {
    const [killed, ...others] = await start(4)
    upstream.waits = [5_000, 50]
    const key = `kill ${Math.random()}`
    const lost = killed!.ask({ ask: 'fill', key, upstream: upstream.url })
    lost.catch(() => {})
    await upstream.called()
    const all = others.map((peer) => peer.ask({ ask: 'fill', key, upstream: upstream.url }))
    await killed!.kill()
    await expect(lost).rejects.toThrow('The peer has ended.')
    expect(new Set(await Promise.all(all))).toEqual(new Set(['reply 2']))
    expect(upstream.calls()).toBe(2)
  })
})

/** Answers with a number, after some milliseconds. */
async function startUpstream() {
  let calls = 0
  const upstream = {
    /** Of the first call, of the second and so on; the last one counts for all others. */
    waits: [0],
    url: '',
    calls: () => calls,
    called: () => until(async () => calls > 0),
    reset: () => {
      calls = 0
    },
    close: () => void server.close(),
  }
  const server = createServer((_, res) => {
    calls += 1
    const text = `reply ${calls}`
    setTimeout(() => res.end(text), upstream.waits[calls - 1] ?? upstream.waits.at(-1))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  upstream.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return upstream
}
