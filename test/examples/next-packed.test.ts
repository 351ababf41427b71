import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PackedConsumer } from '../package/packed-consumer.ts'
import { ask } from './asking.ts'
import { project } from './page.ts'
import { buildNext, runNext, type RunningNext } from './running-next.ts'

const files: Readonly<Record<string, string>> = {
  'package.json': '{ "private": true, "type": "module" }',
  'app/layout.jsx': 'export default ({ children }) => <html><body>{children}</body></html>',
  'app/store/route.js': `
import { backends, cacheManager, createStore } from 'behalf/stores'
export async function GET(request) {
  const cache = cacheManager(createStore(new URL(request.url).searchParams.get('store')))
  try {
    await cache.set('key', 'kept')
    return Response.json({ backends: Object.keys(backends), found: await cache.get('key') })
  } catch ({ code, message }) {
    return Response.json({ code, message })
  }
}`,
  'lib/behalf.js': `
import { behalf } from 'behalf/next'
import { spotify } from 'behalf/providers'
const provider = JSON.parse(process.env.DEMO_PROVIDER || '{}')
export const { handlers, withApi } = behalf({
  providers: { spotify: spotify({ scope: ['user-read-email'], ...provider }) },
})`,
  'app/auth/[...behalf]/route.js': `
import { handlers } from '../../../lib/behalf.js'
export const { GET, POST } = handlers`,
  // The most that Next.js can be told to keep of what fetch() brings.
  'app/me/route.js': `
import { withApi } from '../../lib/behalf.js'
export const fetchCache = 'force-cache'
export const GET = withApi(async (request, { api }) => Response.json(await api.spotify.get('me')))`,
}

/** What next needs on this machine, and SQLite's driver on Node 20. */
const compilers = readdirSync(join(project, 'node_modules/@next'))
  .filter((name) => name.startsWith('swc-'))
  .map((name) => `@next/${name}`)
const drivers = ['libsql', '@libsql', '@neon-rs', 'detect-libc']

describe('a Next.js app that has installed the package', () => {
  let consumer: PackedConsumer
  let running: RunningNext
  const json = async (path: string, headers: Record<string, string> = {}): Promise<unknown> =>
    JSON.parse((await ask(`${running.baseUrl}${path}`, { headers })).body)
  const withStore = (url: string) => json(`/store?store=${encodeURIComponent(url)}`)

  beforeAll(async () => {
    consumer = new PackedConsumer(['next', 'react', 'react-dom', ...compilers])
    const { folder } = consumer
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    await buildNext(folder)
    running = await runNext({ folder, store: 'memory:packed' })
  }, 300_000)
  afterAll(async () => {
    await running?.close()
    consumer?.remove()
  })

  test('builds without any optional driver, runs, and says what to install', async () => {
    const inMemory = await withStore('memory:')
    expect(inMemory).toMatchObject({ found: 'kept' })
    expect((inMemory as { backends: string[] }).backends).toContain('redis')
    expect(await withStore('redis://127.0.0.1')).toEqual({
      code: 'config_invalid',
      message: expect.stringMatching(/npm i ioredis/),
    })
    for (const name of drivers) {
      const from = join(project, 'node_modules', name)
      cpSync(from, join(consumer.folder, 'node_modules', name), { recursive: true })
    }
    expect(await withStore('sqlite::memory:')).toMatchObject({ found: 'kept' })
  }, 60_000)

  test('NX-04 Next.js keeps nothing of what was fetched for a user', async () => {
    for (const name of ['ada', 'grace', 'ada', 'grace']) {
      const cookie = await logIn(running.baseUrl, name)
      expect(await json('/me', { cookie })).toMatchObject({ id: name })
      expect(await json('/me', { cookie })).toMatchObject({ id: name })
    }
    // Each login asks who it is; each call of the route is one more.
    expect(running.api.requestsTo('me')).toBe(12)
  }, 60_000)
})

/** Logs in as a browser does; gives the cookies. */
async function logIn(baseUrl: string, user: string): Promise<string> {
  const headers = { accept: 'text/html' }
  const begun = await ask(`${baseUrl}/auth/spotify/login`, { headers })
  const approved = await ask(String(begun.headers['location']), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ user }).toString(),
  })
  const cookie = cookiesIn(begun.headers)
  const landed = await ask(String(approved.headers['location']), {
    headers: { ...headers, cookie },
  })
  return cookiesIn(landed.headers)
}

function cookiesIn(headers: Readonly<Record<string, unknown>>): string {
  const lines = (headers['set-cookie'] ?? []) as string[]
  return lines.map((line) => line.split(';', 1)[0]).join('; ')
}
