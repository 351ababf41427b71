import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type Call, Collapsing, type Outcome } from '../../src/cache/upstream/collapsing.ts'
import { ownCopy } from '../../src/cache/own-copy.ts'

const never = new AbortController().signal
const shared = (text: string): Outcome<Response> => ({
  shared: true,
  reply: () => new Response(text),
})
const own = (text: string, status = 200): Outcome<Response> => {
  const reply = new Response(text, { status })
  return { shared: false, reply, response: reply }
}

/** An upstream whose calls are answered by hand. */
function upstream() {
  const calls: Array<{
    signal: AbortSignal | undefined
    answer: (outcome: Outcome<Response>) => void
    fail: (error: unknown) => void
  }> = []
  const call: Call<Response> = (signal) =>
    new Promise((resolve, reject) => {
      calls.push({ signal, answer: resolve, fail: reject })
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  return { calls, call }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))
const textOf = async (fetched: Promise<{ reply: Response }>) => (await fetched).reply.text()

describe('CA-15 equal calls at the same time', () => {
  test('are one upstream, and each caller has a reply of its own', async () => {
    const collapsing = new Collapsing<Response>()
    const { calls, call } = upstream()
    const all = Array.from({ length: 1_000 }, () =>
      collapsing.fetch('key', new AbortController().signal, call),
    )
    expect(calls).toHaveLength(1)
    calls[0]!.answer(shared('body'))
    const fetched = await Promise.all(all)
    expect(new Set(fetched.map(({ reply }) => reply)).size).toBe(1_000)
    expect(await Promise.all(fetched.map(({ reply }) => reply.text()))).toEqual(
      all.map(() => 'body'),
    )
    expect(fetched.map(({ collapsed }) => collapsed)).toEqual([
      false,
      ...all.slice(1).map(() => true),
    ])
  })

  test('of different keys, and one after the other, are calls of their own', async () => {
    const collapsing = new Collapsing<Response>()
    const { calls, call } = upstream()
    const ada = collapsing.fetch('ada', never, call)
    const grace = collapsing.fetch('grace', never, call)
    calls[0]!.answer(shared('ada'))
    calls[1]!.answer(shared('grace'))
    expect(await Promise.all([textOf(ada), textOf(grace)])).toEqual(['ada', 'grace'])
    const later = collapsing.fetch('ada', never, call)
    calls[2]!.answer(shared('later'))
    expect(await textOf(later)).toBe('later')
  })

  test('a call that fails, also before its first await, fails for all, and the next is a new one', async () => {
    const collapsing = new Collapsing<Response>()
    const { calls, call } = upstream()
    const all = [1, 2, 3].map(() => collapsing.fetch('key', never, call))
    calls[0]!.fail(new TypeError('fetch failed'))
    for (const one of all) await expect(one).rejects.toThrow('fetch failed')
    const thrown = collapsing.fetch('key', never, () => {
      throw new TypeError('no token')
    })
    await expect(thrown).rejects.toThrow('no token')
    const next = collapsing.fetch('key', never, call)
    calls[1]!.answer(shared('works'))
    expect(await textOf(next)).toBe('works')
  })
})

describe('CA-15 a caller who aborts', () => {
  test.each([0, 1, 2])('leaves alone, also as number %i of three', async (leaving) => {
    const collapsing = new Collapsing<Response>()
    const { calls, call } = upstream()
    const callers = [0, 1, 2].map(() => new AbortController())
    const all = callers.map(({ signal }) => collapsing.fetch('key', signal, call))
    callers[leaving]!.abort(new Error('gone'))
    await expect(all[leaving]).rejects.toThrow('gone')
    expect(calls[0]!.signal?.aborted).toBe(false)
    calls[0]!.answer(shared('body'))
    const others = all.filter((_, index) => index !== leaving)
    expect(await Promise.all(others.map(textOf))).toEqual(['body', 'body'])
  })

  test('leaves one who never does alone', async () => {
    const collapsing = new Collapsing<Response>()
    const { calls, call } = upstream()
    const stays = collapsing.fetch('key', undefined, call)
    const caller = new AbortController()
    const left = collapsing.fetch('key', caller.signal, call)
    const alsoStays = collapsing.fetch('key', undefined, call)
    caller.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    expect(calls).toHaveLength(1)
    calls[0]!.answer(shared('body'))
    expect(await Promise.all([stays, alsoStays].map(textOf))).toEqual(['body', 'body'])
  })

  test('as the last one ends the call; who comes then has a new one', async () => {
    const collapsing = new Collapsing<Response>()
    const { calls, call } = upstream()
    const callers = [0, 1].map(() => new AbortController())
    const all = callers.map(({ signal }) => collapsing.fetch('key', signal, call))
    for (const caller of callers) caller.abort()
    expect(calls[0]!.signal?.aborted).toBe(true)
    const next = collapsing.fetch('key', never, call)
    for (const one of all) await expect(one).rejects.toThrow(/aborted/)
    expect(calls).toHaveLength(2)
    calls[1]!.answer(shared('new'))
    expect(await textOf(next)).toBe('new')
  })

  test('before the call makes none', async () => {
    const { calls, call } = upstream()
    const gone = AbortSignal.abort(new Error('gone'))
    await expect(new Collapsing<Response>().fetch('key', gone, call)).rejects.toThrow('gone')
    expect(calls).toHaveLength(0)
  })

  test('while its own reply, which nobody shares, is still being read ends the call', async () => {
    const { calls, call } = upstream()
    const caller = new AbortController()
    const fetched = new Collapsing<Response>().fetch('key', caller.signal, call)
    calls[0]!.answer(own('stream'))
    await fetched
    expect(calls[0]!.signal?.aborted).toBe(false)
    caller.abort()
    expect(calls[0]!.signal?.aborted).toBe(true)
  })

  test('and has left a reply that nobody shares lets go of its body', async () => {
    const collapsing = new Collapsing<Response>()
    const { calls, call } = upstream()
    const caller = new AbortController()
    const cancelled = vi.fn()
    const left = collapsing.fetch('key', caller.signal, call)
    const stays = collapsing.fetch('key', never, call)
    caller.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    const body = new ReadableStream({ cancel: cancelled })
    const reply = new Response(body)
    calls[0]!.answer({ shared: false, reply, response: reply })
    await settled()
    expect(cancelled).toHaveBeenCalledOnce()
    calls[1]!.answer(shared('its own'))
    expect(await textOf(stays)).toBe('its own')
  })
})

describe('a reply that is one caller’s only', () => {
  test('releases all others at once, each to a call of its own, and the next burst does not wait', async () => {
    const collapsing = new Collapsing<Response>()
    const { calls, call } = upstream()
    const all = [0, 1, 2, 3].map(() => collapsing.fetch('key', never, call))
    calls[0]!.answer(own('0'))
    await settled()
    expect(calls).toHaveLength(4)
    calls.forEach(({ answer }, index) => answer(own(String(index))))
    const fetched = await Promise.all(all)
    expect(await Promise.all(fetched.map(({ reply }) => reply.text()))).toEqual([
      '0',
      '1',
      '2',
      '3',
    ])
    expect(fetched.some(({ collapsed }) => collapsed)).toBe(false)
    const burst = [4, 5, 6].map(() => collapsing.fetch('key', never, call))
    expect(calls).toHaveLength(7)
    calls.slice(4).forEach(({ answer }, index) => answer(own(String(index + 4))))
    expect(await Promise.all(burst.map(textOf))).toEqual(['4', '5', '6'])
  })

  test('is forgotten after two minutes, and as soon as one can be shared again', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      const collapsing = new Collapsing<Response>()
      for (const forget of [
        () => vi.advanceTimersByTime(120_001),
        () => collapsing.fetch('key', never, async () => shared('storable')),
      ]) {
        await collapsing.fetch('key', never, async () => own('private'))
        const { calls, call } = upstream()
        const apart = [1, 2].map(() => collapsing.fetch('key', never, call))
        expect(calls).toHaveLength(2)
        for (const { answer } of calls) answer(own('private'))
        await Promise.all(apart)
        await forget()
        const together = [1, 2].map(() => collapsing.fetch('key', never, call))
        expect(calls).toHaveLength(3)
        calls[2]!.answer(shared('storable'))
        await Promise.all(together)
      }
    } finally {
      vi.useRealTimers()
    }
  })

  test.each([429, 500, 503])('because of the moment (%i) leaves no mark', async (status) => {
    const collapsing = new Collapsing<Response>()
    await collapsing.fetch('key', never, async () => own('slow down', status))
    const { calls, call } = upstream()
    const all = [1, 2].map(() => collapsing.fetch('key', never, call))
    expect(calls).toHaveLength(1)
    calls[0]!.answer(shared('body'))
    await Promise.all(all)
  })
})

describe('CA-12 a body that several wait for', () => {
  const whole = (size: number) => new Uint8Array(size).fill(7)

  test.each([0, 1, 65_536, 65_537, 200_000])('of %i bytes is whole for everybody', async (size) => {
    const body = whole(size)
    const [first, second] = [new Response(ownCopy(body)), new Response(ownCopy(body))]
    const bytes = new Uint8Array(await first.arrayBuffer())
    expect(Buffer.compare(bytes, whole(size))).toBe(0)
    bytes.fill(0)
    expect(Buffer.compare(new Uint8Array(await second.arrayBuffer()), whole(size))).toBe(0)
  })

  test('and has many megabytes is held once', async () => {
    const body = whole(5_000_000)
    const before = process.memoryUsage().arrayBuffers
    const replies = Array.from({ length: 200 }, () => new Response(ownCopy(body)))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000)
    expect((await replies[199]!.arrayBuffer()).byteLength).toBe(5_000_000)
  })
})

test('CA-15 whoever comes, leaves or fails, every caller is answered and no call is left behind', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('join' as const) }),
    fc.record({ do: fc.constant('leave' as const), who: fc.nat(20) }),
    fc.record({
      do: fc.constant('answer' as const),
      how: fc.constantFrom('shared', 'own', 'fail'),
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const collapsing = new Collapsing<Response>()
      const { calls, call } = upstream()
      const callers: Array<{ controller: AbortController; done: Promise<unknown> }> = []
      let answered = 0
      const answer = (how: string) => {
        const one = calls[answered]
        if (!one) return
        answered += 1
        if (how === 'fail') one.fail(new Error('failed'))
        else one.answer(how === 'own' ? own('own') : shared('shared'))
      }
      for (const one of steps) {
        if (one.do === 'join') {
          const controller = new AbortController()
          const done = collapsing.fetch('key', controller.signal, call).catch(() => 'failed')
          callers.push({ controller, done })
        } else if (one.do === 'leave') {
          callers[one.who % Math.max(1, callers.length)]?.controller.abort()
        } else answer(one.how)
        await settled()
      }
      while (answered < calls.length) {
        answer('shared')
        await settled()
      }
      const outcomes = await Promise.all(callers.map(({ done }) => done))
      expect(outcomes).toHaveLength(callers.length)
      expect(calls.length).toBeLessThanOrEqual(Math.max(0, callers.length))
    }),
    { numRuns: 200 },
  )
})
