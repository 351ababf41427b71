import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hostileRows } from '../hostile.ts'
import { answering, cacheBefore, type CallerOptions, Clock } from './cache-caller.ts'

let clock: Clock
beforeEach(() => {
  clock = new Clock()
})
afterEach(() => clock.restore())

const http: CallerOptions = { policy: 'http' }

describe('bodies', () => {
  test('UP-17 one that is shorter than was announced is not stored', async () => {
    const headers = { 'cache-control': 'max-age=60', 'content-length': '100' }
    const { statusOf } = cacheBefore(answering(headers, 'short'), http)
    await statusOf()
    expect(await statusOf()).toContain('detail=incomplete')
  })

  test.each([
    ['nobody said how long it is', {}, false],
    [
      'it was encoded, and its length is another',
      { 'content-encoding': 'gzip', 'content-length': '9' },
      false,
    ],
    ['as many bytes came as were announced', { 'content-length': '8' }, true],
    ['it came in chunks, the last of which says so', { 'transfer-encoding': 'chunked' }, true],
  ])(
    'UP-17 JSON that breaks off is stored only where it is whole: %s',
    async (_, fields, isStored) => {
      const headers = {
        'cache-control': 'max-age=60',
        'content-type': 'application/json',
        ...fields,
      }
      const { statusOf } = cacheBefore(answering(headers, '{"a": [1'), http)
      expect((await statusOf()).includes('detail=incomplete')).toBe(!isStored)
      expect((await statusOf()).startsWith('hit')).toBe(isStored)
    },
  )

  test('JSON with a byte order mark is whole where its end is', async () => {
    const headers = { 'cache-control': 'max-age=60', 'content-type': 'application/json' }
    const { statusOf } = cacheBefore(answering(headers, '\uFEFF{"a": [1]}'), http)
    await statusOf()
    expect((await statusOf()).startsWith('hit')).toBe(true)
  })

  test('its length is of the sent bytes where they were encoded', async () => {
    const headers = {
      'cache-control': 'max-age=60',
      'content-length': '3',
      'content-encoding': 'gzip',
    }
    const { fetch, statusOf } = cacheBefore(answering(headers, 'decoded'), http)
    await statusOf()
    const response = await fetch()
    expect(response.headers.get('cache-status')).toContain('hit')
    expect(response.headers.get('content-length')).toBeNull()
  })

  test('a text whose bytes are no UTF-8 comes back byte for byte', async () => {
    const bytes = Buffer.from([0x61, 0xff, 0xfe, 0xc3, 0x28])
    for (const body of [bytes, Buffer.from('\uFEFFwith a mark')]) {
      const { fetch } = cacheBefore(
        () =>
          new Response(body, {
            headers: { 'cache-control': 'max-age=9', 'content-type': 'text/plain' },
          }),
        http,
      )
      await (await fetch()).arrayBuffer()
      expect(Buffer.from(await (await fetch()).arrayBuffer()).equals(body)).toBe(true)
    }
  })

  test('without a type it has none when it comes from the store', async () => {
    const bytes = Buffer.from('plain')
    const { fetch } = cacheBefore(
      () => new Response(bytes, { headers: { 'cache-control': 'max-age=9' } }),
      http,
    )
    await (await fetch()).arrayBuffer()
    expect((await fetch()).headers.get('content-type')).toBeNull()
  })

  test.each([204, 301, 404])('a %i without a body can be stored', async (status) => {
    const { fetch } = cacheBefore(answering({ 'cache-control': 'max-age=9' }, null, status), http)
    await fetch()
    const again = await fetch()
    expect([again.status, await again.text()]).toEqual([status, ''])
    expect(again.headers.get('cache-status')).toContain('hit')
  })

  test('where it came from after redirects is told from the store too', async () => {
    const { fetch } = cacheBefore(() => {
      const response = new Response('x', { headers: { 'cache-control': 'max-age=9' } })
      return Object.defineProperty(response, 'url', { value: 'https://api.example/v2/me' })
    }, http)
    expect((await fetch()).url).toBe('https://api.example/v2/me')
    expect((await fetch()).url).toBe('https://api.example/v2/me')
  })
})

describe('CA-03 hostile replies', () => {
  const own = new Set(['CR-22', 'CR-24', 'CR-27'])
  const rows = hostileRows('cacheResponse').filter(({ id }) => !own.has(id))

  test.each(rows.map((row) => [row.id, row.expect.outcome, row] as const))(
    '%s %s',
    async (_id, outcome, { input }) => {
      const { status, headers, body = '{"id":1}' } = input.response
      const noBody = status === 304
      const reply = () => new Response(noBody ? null : body, { status, headers })
      const { fetch, seen } = cacheBefore(reply, http)
      const first = await fetch()
      const text = await first.text()
      const again = await fetch()
      expect(await again.text()).toBe(text)
      await fetch(undefined, { user: 'grace' })
      const isHit = again.headers.get('cache-status')!.includes('hit')
      if (outcome.startsWith('not-')) {
        expect(isHit).toBe(false)
      } else if (outcome === 'stored-capped') {
        clock.pass(61)
        expect((await fetch()).headers.get('cache-status')).not.toContain('hit')
      } else {
        expect(isHit).toBe(true)
        expect(again.headers.get('set-cookie')).toBeNull()
        expect(seen).toHaveLength(2)
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
      }
    },
  )

  test('CR-22 CA-17 a body that unpacks to more than may be stored is not, and comes whole', async () => {
    const zeros = Buffer.alloc(3_000_000)
    const { fetch, statusOf } = cacheBefore(
      () =>
        new Response(zeros, {
          headers: { 'cache-control': 'max-age=60', 'content-encoding': 'gzip' },
        }),
      { ...http, maxEntryBytes: 1_000_000 },
    )
    expect((await (await fetch()).arrayBuffer()).byteLength).toBe(3_000_000)
    expect(await statusOf()).toBe('fwd=uri-miss; fwd-status=200; detail=too-large')
  })

  test('CR-24 headers beyond all measure are not stored', async () => {
    const headers = { 'cache-control': 'max-age=60', 'x-a': 'h'.repeat(300_000) }
    const { fetch, statusOf } = cacheBefore(answering(headers), http)
    expect(await (await fetch()).text()).toBe('{"n":1}')
    expect(await statusOf()).toMatch(/^fwd=uri-miss/)
  })
})
