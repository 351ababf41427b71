import { execPath } from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runNext, type RunningNext } from './running-next.ts'

describe('try', () => {
  let running: RunningNext
  beforeAll(async () => {
    running = await runNext()
  }, 100_000)
  afterAll(() => running?.close())
  test('x', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    for (const [path, headers] of [
      ['/', {}],
      ['/top', { accept: 'text/html' }],
      ['/auth/spotify/login?returnTo=/top', { accept: 'text/html' }],
      ['/api/artist/1', {}],
      ['/auth/session', {}],
      ['/auth/spotify/login/', {}],
      ['//auth/spotify/login', {}],
      ['/auth/%73potify/login', {}],
    ] as const) {
      const { request } = await import('node:https')
      const r = await new Promise<any>((resolve) => {
        const q = request(running.baseUrl, { path, headers, rejectUnauthorized: false }, (res) => {
          let t = ''
          res
            .on('data', (d) => (t += d))
            .on('end', () => resolve({ s: res.statusCode, h: res.headers, t }))
        })
        q.end()
      })
      console.log(
        path,
        r.s,
        r.h.location,
        r.h['cache-control'],
        r.h['set-cookie'],
        r.t.slice(0, 150),
      )
    }
    console.log(running.output())
  }, 60_000)
})
