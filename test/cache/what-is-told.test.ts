import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { cacheBefore, target } from './cache-caller.ts'

describe('what a reply tells', () => {
  test('CA-11 Cache-Status has registered parameters only, no key and nobody’s name', async () => {
    const registered =
      /^behalf(; (hit|ttl=-?\d+|fwd=(bypass|method|uri-miss|vary-miss|request|stale)|fwd-status=\d{3}|stored|collapsed|detail=[a-z0-9-]+))+$/
    const { fetch } = cacheBefore(
      (request, calls) =>
        new Response('reply', {
          status: request.url.endsWith('/gone') ? 404 : 200,
          headers: { 'cache-control': calls > 6 ? 'no-store' : 'max-age=60', vary: 'x-kind' },
        }),
      { policy: 'http' },
    )
    const asked: Array<Parameters<typeof fetch>> = [
      [target],
      [target],
      [target, {}, { headers: { 'x-kind': 'a' } }],
      [target, { mode: 'reload' }],
      [target, { mode: 'no-store' }],
      [target, {}, { method: 'POST' }],
      ['https://api.example/cold', { mode: 'only-if-cached' }],
      ['https://api.example/gone'],
      ['https://api.example/v1/ada@mail.example'],
      [target, { partition: async () => undefined }],
    ]
    const said = []
    for (const [url, wish, init] of asked) {
      const reply = await fetch(url, { user: 'ada', ...wish }, init)
      said.push(reply.headers.get('cache-status')!)
    }
    expect(new Set(said).size).toBeGreaterThan(6)
    for (const one of said) {
      expect(one).toMatch(registered)
      expect(one).not.toContain('ada')
    }
  })

  test('CA-13 what one user has stored changes nothing for another, not even which keys are looked up', async () => {
    const asked: string[] = []
    const inner = memoryStore()
    const store = Object.assign(Object.create(inner) as typeof inner, {
      getMany: (keys: readonly string[]) => {
        asked.push(keys.join())
        return inner.getMany!(keys)
      },
      atHand: (keys: readonly string[]) => {
        asked.push(keys.join())
        return inner.atHand!(keys)
      },
    })
    for (const name of ['get', 'set', 'setMany', 'compareAndSwap', 'delete'] as const) {
      Object.assign(store, { [name]: inner[name]!.bind(inner) })
    }
    const { statusOf, seen } = cacheBefore(() => new Response('reply'), {
      store,
      rules: { '/*': 60 },
    })
    const entries = () =>
      asked.splice(0).flatMap((keys) => keys.split(',').filter((key) => key.includes(':response:')))
    await statusOf('https://api.example/first', { user: 'ada' })
    const cold = await statusOf('https://api.example/first', { user: 'grace' })
    entries()
    await statusOf(target, { user: 'ada' })
    expect(await statusOf(target, { user: 'grace' })).toBe(cold)
    expect(seen).toHaveLength(4)
    const [hers, others, ...more] = entries()
    expect(more).toEqual([])
    expect(hers).not.toBe(others)
  })
})
