import type { Express, Request } from 'express'
import passport from 'passport'
import { describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, useWorld, expressVersions, navigation, ownForm } from './express-app.ts'
import { approve, beginLogin } from './flow.ts'

const world = useWorld()

/** An app with a login of its own: who you are is a key of the session. */
function ownLogin(app: Express): void {
  app.post('/sign-in/:user', (req, res) => {
    ;(req.session as unknown as { user: string }).user = req.params.user
    res.send('signed in')
  })
  app.post('/sign-out', (req, res) => void req.session.destroy(() => res.send('signed out')))
}

const settings = {
  session: 'express-session' as const,
  before: ownLogin,
  options: {
    user: (req: { session?: { user?: string } }) => req.session?.user,
    basePath: '/connect',
  },
}

describe.each(Object.entries(expressVersions))(
  "connecting a provider to the app's user on %s",
  (_name, express) => {
    const connected = { ...settings, express }

    test("the grant is found again from another session, and survives the app's logout", async () => {
      const { browser, auth } = createApp(world, connected)
      const laptop = browser()
      await laptop.post('/sign-in/ada@app')
      await loginAs(laptop, { user: 'ada', provider: 'spotify', path: '/connect' })
      await laptop.get('/me').expect(200)
      await laptop.post('/sign-out')
      expect((await laptop.get('/me')).status).toBe(401)

      const phone = browser()
      await phone.post('/sign-in/ada@app')
      expect((await phone.get('/me').expect(200)).body.id).toBe('ada')

      const job = await auth.forUser('ada@app')
      expect(await job.api.spotify.get('me')).toMatchObject({ id: 'ada' })
      const revoked = world.provider.seen.revocations
      await phone.post('/connect/spotify/disconnect').set(ownForm).expect(303)
      await phone.get('/me').expect(401)
      await auth.close()
      expect(world.provider.seen.revocations).toBe(revoked + 1)
    })

    test('CVE-2025-61928 no field of a request says who is asking', async () => {
      const { browser } = createApp(world, connected)
      const ada = browser()
      await ada.post('/sign-in/ada@app')
      await loginAs(ada, { user: 'ada', provider: 'spotify', path: '/connect' })
      const names = ['user', 'userId', 'user_id', 'id', 'sub', 'subject', 'session', 'account']
      const fields = Object.fromEntries(names.map((name) => [name, 'ada@app']))
      const query = new URLSearchParams(fields).toString()
      const headers = Object.fromEntries(names.map((name) => [`x-${name}`, 'ada@app']))
      const cookie = names.map((name) => `${name}=ada@app`).join('; ')
      const anybody = browser()
      const reply = await anybody.get(`/me?${query}`).set({ ...headers, cookie })
      expect(reply.status).toBe(401)
      const session = await anybody.get(`/connect/session?${query}`).set({ ...headers, cookie })
      expect(JSON.stringify(session.body)).not.toContain('ada')
      await anybody
        .post(`/connect/spotify/disconnect?${query}`)
        .set({ ...ownForm, ...headers, cookie })
        .type('form')
        .send(fields)
      await ada.get('/me').expect(200)
    })

    test('two users of the app have a grant each', async () => {
      const { browser } = createApp(world, connected)
      const [first, second] = [browser(), browser()]
      await first.post('/sign-in/one')
      await second.post('/sign-in/two')
      await loginAs(first, { user: 'ada', provider: 'spotify', path: '/connect' })
      await second.get('/me').expect(401)
      await loginAs(second, { user: 'grace', provider: 'spotify', path: '/connect' })
      expect((await first.get('/me')).body.id).toBe('ada')
      expect((await second.get('/me')).body.id).toBe('grace')
    })

    test('the session is not regenerated', async () => {
      const { browser } = createApp(world, connected)
      const ada = browser()
      await ada.post('/sign-in/ada@app')
      const landed = await loginAs(ada, { user: 'ada', provider: 'spotify', path: '/connect' })
      expect(JSON.stringify(landed.headers['set-cookie'])).not.toContain('connect.sid')
    })

    test('OC-16 GHSA-g38m-r43w-p2q7 a login begun by one user is not finished by another', async () => {
      const { browser } = createApp(world, connected)
      const visitor = browser()
      await visitor.post('/sign-in/mallory')
      const begun = await visitor.get('/connect/spotify/login').set(navigation)
      const back = await approve(new URL(begun.headers['location']!), 'ada')
      await visitor.post('/sign-in/victim')
      const reply = await visitor.get(back).set(navigation)
      expect(reply.status).toBe(400)
      expect(reply.text).toContain('state_user_changed')
      await visitor.get('/me').expect(401)
    })

    test('without a user: signInUrl for a person, 401 with a code for a script', async () => {
      const options = { ...settings.options, signInUrl: '/sign-in?hint=1' }
      const { browser } = createApp(world, { ...connected, options })
      const nobody = browser()
      const begun = await nobody.get('/connect/spotify/login?returnTo=/x').set(navigation)
      expect(begun.headers['location']).toBe(
        '/sign-in?hint=1&returnTo=%2Fconnect%2Fspotify%2Flogin%3FreturnTo%3D%2Fx',
      )
      const guarded = await nobody.get('/guarded').set(navigation)
      expect(guarded.headers['location']).toBe('/sign-in?hint=1&returnTo=%2Fguarded')
      const script = await nobody.get('/guarded')
      expect(script.status).toBe(401)
      expect(script.body.code).toBe('user_required')
      const plain = createApp(world, connected).browser()
      expect((await plain.get('/connect/spotify/login').set(navigation)).body.code).toBe(
        'user_required',
      )
    })

    test('a guarded page leads to the sign-in, also right after connecting and signing out', async () => {
      const options = { ...settings.options, signInUrl: '/sign-in' }
      const { browser } = createApp(world, { ...connected, options })
      const ada = browser()
      await ada.post('/sign-in/ada@app')
      await loginAs(ada, { user: 'ada', provider: 'spotify', path: '/connect' })
      await ada.post('/sign-out')
      const reply = await ada.get('/guarded').set(navigation)
      expect(reply.status).toBe(303)
      expect(reply.headers['location']).toMatch(/^\/sign-in\?/)
    })

    test("assignTo gives a visitor's grant to the user who has just signed in", async () => {
      const { browser, auth } = createApp(world, {
        express,
        session: 'express-session',
        routes: (app) =>
          app.post('/keep', async (req: Request, res) => {
            await req.tokens['spotify']!.assignTo('ada@app')
            res.send('kept')
          }),
      })
      const visitor = browser()
      await loginAs(visitor, { user: 'ada', provider: 'spotify' })
      await visitor.post('/keep').expect(200)
      await visitor.get('/me').expect(401)
      expect(await (await auth.forUser('ada@app')).api.spotify.get('me')).toMatchObject({
        id: 'ada',
      })
    })
  },
)

test('with passport, whose user is there only after behalf has run, a grant is found', async () => {
  passport.serializeUser((user, done) => done(null, (user as { id: string }).id))
  passport.deserializeUser((id, done) => done(null, { id: String(id) }))
  const { browser } = createApp(world, {
    session: 'express-session',
    options: { user: (req) => req.user?.id, basePath: '/connect' },
    before: (app) => {
      app.use(passport.session())
      app.post('/sign-in/:user', (req, res, next) => {
        req.login({ id: req.params.user } as Express.User, (error) =>
          error ? next(error) : res.send('in'),
        )
      })
      app.post('/sign-out', (req, res) => void req.logout(() => res.send('out')))
    },
  })
  const ada = browser()
  await ada.post('/sign-in/ada@app')
  await loginAs(ada, { user: 'ada', provider: 'spotify', path: '/connect' })
  await ada.get('/me').expect(200)
  await ada.post('/sign-out')
  await ada.get('/me').expect(401)
  await ada.post('/sign-in/ada@app')
  await ada.get('/me').expect(200)
})

test('signing in with a provider: another person in the same browser finds nothing of the first', async () => {
  for (const session of ['own', 'express-session'] as const) {
    const { browser } = createApp(world, { session })
    const shared = browser()
    await loginAs(shared, { user: 'ada', provider: 'spotify' })
    expect((await shared.get('/me')).body.id).toBe('ada')
    await beginLogin(shared)
    await loginAs(shared, { user: 'grace', provider: 'spotify' })
    const me = await shared.get('/me')
    expect(me.body.id).toBe('grace')
    expect(me.headers['cache-status']).not.toContain('hit')
  }
})

test('several providers in one session: a login keeps the others, another person ends them', async () => {
  const { browser, auth } = createApp(world, {
    options: { providers: { spotify: world.spotify, second: { ...world.spotify } } as never },
    routes: (app) =>
      app.get('/second', async (req, res) => void res.json(await req.api['second']!.get('me'))),
  })
  const shared = browser()
  await loginAs(shared, { user: 'ada', provider: 'second' })
  await loginAs(shared, { user: 'ada', provider: 'spotify' })
  expect((await shared.get('/second')).body.id).toBe('ada')
  expect((await shared.get('/me')).body.id).toBe('ada')
  const before = world.provider.seen.revocations
  await loginAs(shared, { user: 'grace', provider: 'spotify' })
  expect((await shared.get('/me')).body.id).toBe('grace')
  expect((await shared.get('/second')).status).toBe(401)
  await auth.close()
  expect(world.provider.seen.revocations).toBe(before + 2)
})
