import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BehalfError } from '../../src/errors.ts'
import type { BehalfEvent } from '../../src/events.ts'
import { createBehalf } from '../../src/middleware/behalf.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor } from '../../src/testing/index.ts'
import { secret, useWorld } from '../middleware/express-app.ts'
import { HostileApi, reply } from '../middleware/hostile-api.ts'

// More of the kind `upstream` of hostile.json than a file can have.

const world = useWorld()
const [api, evil] = [new HostileApi(), new HostileApi()]
beforeAll(() => Promise.all([api.start(), evil.start()]))
afterAll(() => Promise.all([api.close(), evil.close()]))

/** What an API answers, and how it is called. */
interface Answer {
  by: 'get' | 'fetch' | 'post'
  bytes: (token: string) => string
  /** Of what is a reply as it should be. */
  status: number | undefined
  body: string
  /** It ends the connection behind that. */
  ends: boolean
  /** The token that it was sent is in what it answers. */
  echoes: boolean
}

const status = fc.oneof(
  fc.constantFrom(200, 204, 205, 301, 302, 304, 307, 401, 403, 408, 416, 429, 429, 500, 503, 503),
  fc.integer({ min: 200, max: 599 }),
)
const body = fc.oneof(
  fc.constantFrom('{"id":1}', '[]', 'null', '', '{"id":', '<html>', '\0\u00ff', '{"__proto__":{}}'),
  fc.json({ maxDepth: 1 }).filter((text) => /^[\x20-\x7e]*$/.test(text)),
)
const headersOf = (values: Record<string, readonly string[]>) =>
  fc.record(
    Object.fromEntries(
      Object.entries(values).map(([name, some]) => [name, fc.constantFrom(...some)]),
    ),
    { requiredKeys: [] },
  ) as fc.Arbitrary<Record<string, string>>
const headers = headersOf({
  'retry-after': [
    '0',
    '0',
    '1',
    '2',
    '3',
    '86400',
    'abc',
    '-1',
    '1e9',
    '0.5',
    '',
    '99999999999',
    'Wed, 21 Oct 2015 07:28:00 GMT',
    'Wed, 21 Oct 2099 07:28:00 GMT',
    'Wed, 99 Foo',
  ],
  'www-authenticate': [
    'Bearer error="invalid_token"',
    'Bearer error="insufficient_scope", scope="user-read-email other"',
    'DPoP error="use_dpop_nonce"',
    'Bearer error=',
    '"',
  ],
  location: ['EVIL', 'EVIL/v1/me', '//', 'http://[', 'javascript:alert(1)', ''],
  'content-type': ['text/html', 'application/json; charset="', 'multipart/form-data', ''],
  'set-cookie': ['behalf=x; Path=/', ''],
  'cache-control': ['public, max-age=3600'],
  'dpop-nonce': ['nonce', ''],
})
const lies = headersOf({
  'content-length': ['0', '1', '999', 'abc', '-1', '99999999999999999999'],
  'transfer-encoding': ['chunked', 'identity', 'x'],
  'content-encoding': ['gzip', 'br', 'x', 'gzip, gzip'],
})
const by = fc.constantFrom<Answer['by']>('get', 'get', 'fetch', 'fetch', 'post')

const replies: fc.Arbitrary<Answer> = fc
  .record({ by, status, body, headers, echoes: fc.boolean(), ends: fc.boolean() })
  .map(({ status: code, headers: given, ...rest }) => ({
    ...rest,
    status: code,
    bytes: (token) => {
      const { location } = given
      const all = {
        ...given,
        ...(location ? { location: location.replace('EVIL', evil.origin) } : {}),
        ...(rest.echoes ? { 'x-echo': token } : {}),
      }
      const hasBody = ![204, 205, 304].includes(code)
      return reply(`${code} ${rest.echoes ? token : 'Hostile'}`, all, hasBody ? rest.body : '')
    },
  }))
const spoiled: fc.Arbitrary<Answer> = fc
  .tuple(
    replies,
    lies,
    fc.oneof(
      fc.constantFrom('GARBAGE\r\n\r\n', 'HTTP/1.1 200', 'HTTP/9.9 200 OK\r\n\r\n', '\r\n\r\n', ''),
      fc.constantFrom('HTTP/1.1 600 X\r\n\r\n', 'HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n'),
      fc.constant(undefined),
    ),
  )
  .map(([one, more, instead]) => ({
    ...one,
    status: undefined,
    bytes: () => instead ?? reply('200 OK', more, one.body),
    echoes: false,
    ends: true,
  }))
const answers = fc.array(fc.oneof({ weight: 3, arbitrary: replies }, spoiled), {
  minLength: 10,
  maxLength: 40,
})

test('HT-03 TK-14 whatever an API answers, its caller gets that or a typed error, waits 2 s at most, and no token goes anywhere', async () => {
  const events: BehalfEvent[] = []
  const auth = createBehalf({
    store: memoryStore(),
    secret,
    providers: { spotify: api.behind(world, { rateLimitedBy: 'grant' }) },
    user: () => undefined,
    timeouts: { headers: 0.5 },
    onEvent: (event) => void events.push(event),
  })
  let users = 0
  const kinds = new Set<string>()

  async function check(answer: Answer, path: string): Promise<void> {
    const user = `user-${(users += 1)}`
    await grantFor(auth, { user, as: 'ada', provider: 'spotify' })
    const { spotify } = (await auth.forUser(user)).api
    const call = async () => {
      if (answer.by !== 'fetch') return spotify[answer.by](path)
      const response = await spotify.fetch(path)
      return { response, text: await response.text() }
    }
    const got = await call().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    const { status: sent = 0, body: text } = answer
    if ('error' in got) {
      const { error } = got as { error: Error }
      kinds.add(error instanceof BehalfError ? error.code : error.name)
      // fetch() rejects as `fetch` does.
      if (answer.by !== 'fetch') expect(error).toBeInstanceOf(BehalfError)
      else if (!(error instanceof BehalfError)) expect(error).toBeInstanceOf(TypeError)
      if (answer.by === 'fetch') expect(answer.status).toBeUndefined()
      expectNoToken(answer.echoes ? `${error.message} ${error.stack}` : error)
      return
    }
    if (answer.by === 'fetch') {
      const { response, text: read } = got.value as { response: Response; text: string }
      kinds.add('a reply')
      if (answer.status === undefined) return
      expect(response.status).toBe(sent)
      if (![204, 205, 304].includes(sent)) expect(read).toBe(Buffer.from(text, 'latin1').toString())
      return
    }
    kinds.add('a value')
    if (answer.status === undefined) return
    expect(sent).toBeGreaterThanOrEqual(200)
    expect(sent).toBeLessThan(300)
    const hasNone = text === '' || [204, 205].includes(sent)
    expect(got.value).toEqual(hasNone ? undefined : JSON.parse(text))
  }

  function expectNoToken(error: unknown): void {
    const said = typeof error === 'string' ? error : inspect(error, { depth: 10, showHidden: true })
    for (const { authorization } of api.seen) {
      expect(said).not.toContain(authorization!.split(' ')[1]!)
    }
  }

  await fc.assert(
    fc.asyncProperty(answers, async (all) => {
      api.seen.length = 0
      events.length = 0
      api.answer = (socket, { path, authorization = '' }) => {
        const { bytes, ends } = all[Number(path.split('/').pop())] ?? all[0]!
        socket.write(bytes(authorization.split(' ')[1] ?? ''), 'latin1')
        if (ends) socket.end()
      }
      await Promise.all(all.map((answer, index) => check(answer, `me/${index}`)))
      expect(evil.seen).toEqual([])
      all.forEach((_answer, index) => {
        const waits = events.flatMap((event) =>
          event.type === 'throttled' && event.retried && event.url === `/v1/me/${index}`
            ? [event.wait]
            : [],
        )
        expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(2)
      })
      expectNoToken(events)
    }),
    { numRuns: 8 },
  )
  await auth.close()
  expect([...kinds]).toEqual(
    expect.arrayContaining(['a value', 'a reply', 'rate_limited', 'upstream_error', 'TypeError']),
  )
  expect(kinds).toContain('unexpected_response')
  expect(kinds).toContain('upstream_unavailable')
}, 120_000)
