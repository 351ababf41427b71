import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { PackedConsumer } from '../package/packed-consumer.ts'
import { ask } from './asking.ts'
import { HttpVisitor } from './http-visitor.ts'
import { isWhole } from './next-kinds.ts'
import { appWithUsers, packedApp } from './next-packed-app.ts'
import { project } from './page.ts'
import { buildNext, runNext, type RunningNext } from './running-next.ts'

const oldest = component('next16.2')
const [oldestModules] = oldest.path.split('next/dist/')

/** What next needs on this machine, and SQLite's driver on Node 20. */
const compilers = readdirSync(join(project, 'node_modules/@next'))
  .filter((name) => name.startsWith('swc-'))
  .map((name) => `@next/${name}`)
const drivers = ['libsql', '@libsql', '@neon-rs', 'detect-libc']

const versions = [
  { version: '16.2', files: { ...packedApp, ...appWithUsers }, isThere: oldest.present },
  { version: '16.4', files: packedApp, isThere: !oldest.present || isWhole },
].filter(({ isThere }) => isThere)

describe.each(versions)('an app of Next.js $version that has installed the package', (given) => {
  const { version, files } = given
  let consumer: PackedConsumer
  let running: RunningNext
  let built: string
  const json = async (path: string, headers: Record<string, string> = {}): Promise<unknown> =>
    JSON.parse((await ask(`${running.baseUrl}${path}`, { headers })).body)
  const withStore = (url: string) => json(`/store?store=${encodeURIComponent(url)}`)

  beforeAll(async () => {
    consumer =
      version === '16.2'
        ? new PackedConsumer([], oldestModules)
        : new PackedConsumer(['next', 'react', 'react-dom', ...compilers])
    const { folder } = consumer
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    built = await buildNext(folder)
    running = await runNext({ folder, store: 'memory:packed' })
  }, 300_000)
  afterAll(async () => {
    await running?.close()
    consumer?.remove()
  })

  test('builds without any optional driver, runs, and says what to install', async () => {
    expect(built).toContain(`Next.js ${version}.`)
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
    running.api.reset()
    for (const name of ['ada', 'grace', 'ada', 'grace']) {
      const visitor = new HttpVisitor(running.baseUrl)
      await visitor.logIn(name)
      for (const _round of [1, 2]) {
        expect(JSON.parse((await visitor.ask('/me')).body)).toMatchObject({ id: name })
      }
    }
    // Each login asks who it is; each call of the route is one more.
    expect(running.api.requestsTo('me')).toBe(12)
  }, 60_000)

  describe.skipIf(version !== '16.2')('and knows its users by Auth.js', () => {
    /** Signs in to the app itself, as its form would. */
    async function signedIn(name: string): Promise<HttpVisitor> {
      const visitor = new HttpVisitor(running.baseUrl)
      const { csrfToken } = JSON.parse((await visitor.ask('/api/auth/csrf')).body) as {
        csrfToken: string
      }
      await visitor.ask('/api/auth/callback/credentials', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ csrfToken, name }).toString(),
      })
      return visitor
    }
    const locationOf = async (visitor: HttpVisitor, path: string) =>
      (await visitor.open(path)).headers['location']

    test('a page, a route and a job use the grant of who is signed in, on each of their devices', async () => {
      const anybody = new HttpVisitor(running.baseUrl)
      expect(await locationOf(anybody, '/de/profile')).toBe('/sign-in?returnTo=%2Fde%2Fprofile')
      expect((await anybody.ask('/mine')).status).toBe(401)

      const lovelace = await signedIn('lovelace')
      const begin = String(await locationOf(lovelace, '/de/profile'))
      expect(begin).toBe('/connect/spotify/login?returnTo=%2Fde%2Fprofile')
      expect(await lovelace.logIn('ada', begin)).toMatchObject({
        headers: { location: '/de/profile' },
      })
      expect((await lovelace.open('/de/profile')).body).toContain('ada in de')
      const elsewhere = await signedIn('lovelace')
      expect(JSON.parse((await elsewhere.ask('/mine')).body)).toMatchObject({ id: 'ada' })
      expect(await json('/job?user=user-lovelace')).toMatchObject({ id: 'ada' })
      expect((await (await signedIn('hopper')).ask('/mine')).status).toBe(401)

      await elsewhere.send('/connect/spotify/disconnect')
      expect((await lovelace.ask('/mine')).status).toBe(401)
      expect(await json('/job?user=user-lovelace')).toEqual({ code: 'login_required' })
    }, 60_000)

    test('next-intl in proxy.with() leads, says and sets what it does by itself', async () => {
      const visitor = new HttpVisitor(running.baseUrl)
      const { status, headers } = await visitor.ask('/', { headers: { 'accept-language': 'de' } })
      expect(status).toBe(307)
      expect(new URL(String(headers['location']), running.baseUrl).pathname).toBe('/de')
      const german = await visitor.ask('/de')
      expect(german.body).toContain('Home')
      expect(german.headers['link']).toContain('hreflang="en"')
      expect(visitor.cookie).toContain('NEXT_LOCALE=de')
    })
  })
})
