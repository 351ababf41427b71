import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { appendCookies } from '../../src/middleware/node-http.ts'
import { beforeHeaders } from '../../src/middleware/before-headers.ts'

/** What a client sees of a reply that gets a cookie right before its headers go out. */
async function replyOf(answer: (res: ServerResponse) => void) {
  let calls = 0
  const server = createServer((_req, res) => {
    res.setHeader('x-early', 'yes')
    beforeHeaders(res, () => {
      calls += 1
      appendCookies(res, ['ours=1'])
    })
    answer(res)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { port } = server.address() as AddressInfo
    const { status, statusText, headers } = await fetch(`http://127.0.0.1:${port}/`)
    return { status, statusText, headers, cookies: headers.getSetCookie(), calls }
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

describe('a cookie that is set when the headers go out', () => {
  const ways: Array<[name: string, answer: (res: ServerResponse) => void, others: string[]]> = [
    ['end()', (res) => void res.end('x'), []],
    ['write()', (res) => (res.write('x'), res.end()), []],
    ['flushHeaders()', (res) => (res.flushHeaders(), res.end()), []],
    ['setHeader()', (res) => (res.setHeader('set-cookie', 'own=1'), res.end()), ['own=1']],
    ['writeHead(status)', (res) => void res.writeHead(200).end(), []],
    ['an object', (res) => void res.writeHead(200, { 'Set-Cookie': 'own=1' }).end(), ['own=1']],
    [
      'an object with a list',
      (res) => void res.writeHead(200, 'Fine', { 'set-cookie': ['own=1', 'two=2'] }).end(),
      ['own=1', 'two=2'],
    ],
    [
      'a flat list',
      (res) => void res.writeHead(200, ['Set-Cookie', 'own=1', 'Set-Cookie', 'two=2']).end(),
      ['own=1', 'two=2'],
    ],
    [
      'a list of pairs',
      (res) => void res.writeHead(200, [['Set-Cookie', 'own=1']] as never).end(),
      ['own=1'],
    ],
  ]

  test.each(ways)(
    'CVE-2025-7339 comes with %s, beside the app’s own',
    async (_name, answer, others) => {
      const { status, headers, cookies, calls } = await replyOf(answer)
      expect({ status, early: headers.get('x-early'), cookies, calls }).toEqual({
        status: 200,
        early: 'yes',
        cookies: [...others, 'ours=1'],
        calls: 1,
      })
    },
  )

  test('leaves the status line as the app wrote it', async () => {
    const { status, statusText } = await replyOf((res) => res.writeHead(418, 'Short').end())
    expect([status, statusText]).toEqual([418, 'Short'])
  })
})
