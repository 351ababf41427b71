import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, navigation, ownForm, secret, useWorld } from './express-app.ts'
import { approve, beginLogin, cookiesOf } from './flow.ts'

const world = useWorld()

/** A store whose operations can be changed while a test runs. */
function changing(store: Store, change: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, property) => {
      const member = change[property as keyof Store] ?? target[property as keyof Store]
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

describe('within one call the user stays the same', () => {
  test("CA-05 a user who changes between cache and upstream leaves nothing in the other's partition", async () => {
    let user = 'one'
    const answers: string[] = []
    const { browser, auth } = createApp(world, { options: { user: () => answers.shift() ?? user } })
    for (const [id, name] of [
      ['one', 'ada'],
      ['two', 'grace'],
    ] as const) {
      user = id
      await loginAs(browser(), { user: name, provider: 'spotify' })
    }
    user = 'one'
    // The call asks who it is for; whoever asks again would be told another one.
    answers.push('one', 'two', 'two', 'two')
    expect((await browser().get('/me')).body.id).toBe('ada')
    answers.length = 0
    expect((await browser().get('/me')).body.id).toBe('ada')
    await auth.close()
  })

  test('TK-09 a retry after a 401 never goes out in another account', async () => {
    const { browser, auth } = createApp(world, {
      cache: false,
      options: { user: () => 'u1' },
      routes: (app) =>
        app.get('/slow', async (req, res) => {
          world.api.switches.delay = 0.5
          const status = await req.api['spotify']!.get('me').catch(
            (error: { code: string }) => error.code,
          )
          res.json(status)
        }),
    })
    const visitor = browser()
    await loginAs(visitor, { user: 'ada', provider: 'spotify' })
    const back = await approve(await beginLogin(visitor), 'grace')
    world.provider.expireAccessTokens()
    const slow = visitor.get('/slow').then(({ body }) => body as unknown)
    await new Promise((resolve) => setTimeout(resolve, 200))
    world.api.switches.delay = 0
    await visitor.get(back).set(navigation).expect(303)
    expect(await slow).toBe('login_required')
    await auth.close()
  })
})

describe('logins, logouts and failures at the same time', () => {
  const two = () => ({
    providers: { spotify: world.spotify, second: { ...world.spotify } } as never,
  })

  test('LO-03 a logout while another provider is being linked ends what was there', async () => {
    const { browser } = createApp(world, { options: two() })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const old = cookiesOf(ada)
      .filter((one) => one.startsWith('behalf='))
      .join('; ')
    await loginAs(ada, { user: 'ada', provider: 'second' })
    // The logout's request left the browser before the link's reply came.
    await browser().post('/auth/logout').set(ownForm).set('cookie', old).expect(303)
    await ada.get('/me').expect(401)
  })

  test("OC-31 a link that cannot be stored leaves the session's other grants", async () => {
    const store = memoryStore()
    let failing = false
    const failsForSecond = changing(store, {
      compareAndSwap: (key, version, value, options) =>
        failing && version === undefined && key.includes(':grant:')
          ? Promise.reject(new Error('down'))
          : store.compareAndSwap(key, version, value, options),
    })
    const { browser } = createApp(world, { options: { ...two(), store: failsForSecond } })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const back = await approve(await beginLogin(ada, { provider: 'second' }), 'ada')
    failing = true
    expect((await ada.get(back).set(navigation)).status).toBe(503)
    failing = false
    await ada.get('/me').expect(200)
  })

  test("OC-16 a link begun in one session is not finished in another person's", async () => {
    const { browser } = createApp(world, { options: two() })
    const shared = browser()
    await loginAs(shared, { user: 'ada', provider: 'spotify' })
    const back = await approve(await beginLogin(shared, { provider: 'second' }), 'ada')
    await shared.post('/auth/logout').set(ownForm)
    await loginAs(shared, { user: 'grace', provider: 'spotify' })
    const reply = await shared.get(back).set(navigation)
    expect(reply.status).toBe(400)
    expect(reply.text).toContain('state_user_changed')
  })

  test('OC-11 a login that is refused again and again is not begun again by itself', async () => {
    const { browser } = createApp(world, {
      options: {
        errorPage: '/guarded',
        onLogin: () => {
          throw new Error('not on the list')
        },
      },
    })
    const ada = browser()
    const back = await approve(await beginLogin(ada), 'ada')
    const failed = await ada.get(back).set(navigation)
    expect(failed.headers['location']).toMatch(/^\/guarded\?/)
    const page = await ada.get('/guarded').set(navigation)
    expect(page.status).toBe(401)
    expect(page.body.code).toBe('login_required')
  })
})

describe('assignTo', () => {
  const assigning = (id: () => unknown, user?: () => string) =>
    createApp(world, {
      ...(user ? { options: { user } } : {}),
      routes: (app) =>
        app.post('/assign', async (req, res) => {
          await req.tokens['spotify']!.assignTo(id() as string)
          res.send('ok')
        }),
    })

  test('to the same user keeps the grant', async () => {
    const { browser } = assigning(
      () => 'u1',
      () => 'u1',
    )
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.post('/assign').expect(200)
    await ada.get('/me').expect(200)
  })

  test('to nobody is refused, and the grant stays where it is', async () => {
    const { browser, auth } = assigning(() => undefined)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect((await ada.post('/assign')).body.code).toBe('config_invalid')
    await ada.get('/me').expect(200)
    await expect(auth.forUser(undefined as never)).rejects.toMatchObject({ code: 'config_invalid' })
  })

  test('during a refresh gives the tokens that the refresh brings', async () => {
    const { browser, auth } = assigning(() => 'u1')
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    world.provider.expireAccessTokens()
    world.provider.switches.delay = 0.4
    const refreshing = ada.get('/me').then(({ status }) => status)
    await new Promise((resolve) => setTimeout(resolve, 150))
    await ada.post('/assign').expect(200)
    world.provider.switches.delay = 0
    await refreshing
    const { api } = await auth.forUser('u1')
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
    expect(world.provider.seen.familiesRevoked).toBe(0)
  })
})

test('SE-07 with a retired secret nobody is locked out: logout, login and disconnect work', async () => {
  const store = memoryStore()
  const before = createApp(world, { options: { store, secret: `old-${secret}` } })
  const ada = before.browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  const cookie = cookiesOf(ada).find((one) => one.startsWith('behalf='))!
  const { browser } = createApp(world, { options: { store, secret: `new-${secret}` } })
  await browser().get('/me').set('cookie', cookie).expect(503)
  await browser()
    .get('/auth/spotify/login')
    .set({ ...navigation, cookie })
    .expect(303)
  await browser()
    .post('/auth/logout')
    .set({ ...ownForm, cookie })
    .expect(303)
  await browser().get('/me').set('cookie', cookie).expect(401)
})

test('CA-16 SE-09 what an app sets for all replies does not make a personal one public', async () => {
  const { browser } = createApp(world, {
    before: (app) =>
      app.use((_req, res, next) => {
        res.set('cache-control', 'public, max-age=300')
        next()
      }),
  })
  const ada = browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  expect((await ada.get('/me')).headers['cache-control']).toBe('private, no-store')
  expect((await ada.get('/')).headers['cache-control']).toBe('public, max-age=300')
})

test.each([
  ['the time-out of a call', 0.6, 30, 'UpstreamUnavailableError'],
  ["the caller's abort", 30, 0.6, 'TimeoutError'],
])('HT-02 %s survives a garbage collection', async (_name, total, patience, name) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { browser } = createApp(world, {
    cache: false,
    options: { timeouts: { total } },
    routes: (app) =>
      app.get('/hangs', async (req, res) => {
        world.api.switches.behaviour = 'hangs'
        const signal = AbortSignal.timeout(patience * 1000)
        const error = await req.api['spotify']!.get('me', { signal }).catch(
          (reason: Error) => reason,
        )
        res.json({ name: (error as Error).name })
      }),
  })
  const ada = browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  const timer = setInterval(collect, 50)
  try {
    expect((await ada.get('/hangs')).body).toEqual({ name })
  } finally {
    clearInterval(timer)
    world.api.switches.behaviour = 'works'
  }
})

test('an API that never stops sending is cut off', async () => {
  const { browser } = createApp(world, {
    cache: false,
    routes: (app) =>
      app.get('/big', async (req, res) => {
        world.api.switches.reply = () => ({
          status: 200,
          headers: {},
          body: Buffer.alloc(11_000_000, 'x'),
        })
        const error = await req.api['spotify']!.get('me').catch((reason: Error) => reason)
        world.api.switches.reply = undefined
        res.json({ message: String(error) })
      }),
  })
  const ada = browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  expect((await ada.get('/big')).body.message).toMatch(/more than 10485760 bytes/)
})

test('TK-14 tokens that could not be sent are not taken, and an error does not repeat them', async () => {
  const { browser, errors } = createApp(world, {
    routes: (app) =>
      app.post('/save/:kind', async (req, res) => {
        const bad = { line: 'CANARY-token\nX: y', empty: '', none: undefined }[req.params.kind]
        await req.tokens['spotify']!.save({ accessToken: bad as string })
        res.send('saved')
      }),
  })
  const ada = browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  for (const kind of ['line', 'empty', 'none']) await ada.post(`/save/${kind}`).expect(500)
  expect(errors.map(String).join()).not.toContain('CANARY')
  await ada.get('/me').expect(200)
})
