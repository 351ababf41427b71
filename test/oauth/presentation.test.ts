import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  Presentation,
  presentation,
  sendingAtOnce,
  thisInstant,
} from '../../src/oauth/presentation.ts'
import { timedFetch } from '../../src/oauth/timed-fetch.ts'

let received: string[] = []
const server = createServer((request, response) => {
  request.setEncoding('utf8')
  let body = ''
  request.on('data', (part: string) => (body += part))
  request.on('end', () => {
    received.push(body)
    response.end('answer')
  })
})
let url: string
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(() => void server.close())

const fetches = {
  'the usual fetch': timedFetch({ connect: 3, headers: 10, idle: 10 }),
  'an app’s own fetch': sendingAtOnce((input, init) => fetch(input, init)),
}

test.each(Object.entries(fetches))(
  'TK-10 %s sends a token request in time',
  async (_name, send) => {
    received = []
    const presented = new Presentation(thisInstant(), 5)
    const init = {
      method: 'POST',
      body: new URLSearchParams({ a: 'b' }),
      [presentation]: presented,
    }
    expect(await (await send(url, init)).text()).toBe('answer')
    expect(presented).toMatchObject({ progress: 'sent', missed: false })
    expect(received).toEqual(['a=b'])
  },
)

const clocks = {
  'time has passed': { monotonic: -1_000, wallClock: 0 },
  'only the date has gone on, as after a machine was frozen': { monotonic: 0, wallClock: -1_000 },
}
const cases = Object.entries(fetches).flatMap(([name, send]) =>
  Object.entries(clocks).map(([clock, ago]) => [name, clock, send, ago] as const),
)

test.each(cases)('TK-10 %s sends nothing when %s', async (_name, _clock, send, ago) => {
  received = []
  const { monotonic, wallClock } = thisInstant()
  const since = { monotonic: monotonic + ago.monotonic, wallClock: wallClock + ago.wallClock }
  const presented = new Presentation(since, 0.5)
  const init = { method: 'POST', body: 'a=b', [presentation]: presented }
  await expect(send(url, init)).rejects.toThrow(/fetch failed|too late/)
  expect(presented).toMatchObject({ progress: 'unsent', missed: true })
  expect(received).toEqual([])
})

test('TK-10 a token request that waits for its connection too long is not sent any more', async () => {
  received = []
  const presented = new Presentation(thisInstant(), 0.2)
  const holdUp = () => {
    const until = performance.now() + 400
    while (performance.now() < until);
  }
  subscribe('undici:client:connected', holdUp)
  const init = { method: 'POST', body: 'a=b', [presentation]: presented }
  const sent = timedFetch({ connect: 3, headers: 10, idle: 10 })(url, init)
  await expect(sent).rejects.toThrow('fetch failed')
  unsubscribe('undici:client:connected', holdUp)
  expect(presented.missed).toBe(true)
  expect(received).toEqual([])
})

test.each(Object.entries(fetches))(
  'OC-33 %s looks at the clock again when a server wants the same request in another form',
  async (_name, send) => {
    received = []
    const presented = new Presentation(thisInstant(), 0.15)
    const init = { method: 'POST', body: 'once', [presentation]: presented }
    await send(url, init)
    presented.answered(400)
    expect(presented.mayHaveWorked).toBe(false)
    presented.declined()
    expect(presented.progress).toBe('unsent')
    await new Promise((resolve) => setTimeout(resolve, 200))
    await expect(send(url, init)).rejects.toThrow(/too late|fetch failed/)
    expect(presented.missed).toBe(true)
    expect(received).toEqual(['once'])
  },
)
