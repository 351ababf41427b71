import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createWorld, expressVersions, navigation, type World } from '../middleware/express-app.ts'
import { approve, cookiesOf } from '../middleware/flow.ts'
import { SessionApp, type SessionSetUp } from './session-app.ts'

/** What a user observes of login, callback, tabs and logout, wherever the app keeps its sessions. */
export function describeSessions(
  name: string,
  setUp: () => SessionSetUp,
  versions: ReadonlyArray<keyof typeof expressVersions> = ['Express 5'],
): void {
  describe.each(versions)(`${name} on %s`, (version) => {
    let world: World
    beforeAll(async () => {
      world = await createWorld()
    })
    afterAll(() => world.close())

    const start = () => new SessionApp(world, setUp(), version)

    test('a visitor logs in, calls the API as themselves, and logs out', async () => {
      const app = start()
      const ada = app.browser()
      await ada.get('/me').expect(401)
      expect((await app.logIn(ada, 'ada')).headers['location']).toBe('/')
      expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
      const cookie = cookiesOf(ada).join('; ')
      await app.signOut(ada)
      await ada.get('/me').expect(401)
      await app.browser().get('/me').set('cookie', cookie).expect(401)
    })

    test('a guarded page leads to the login and is come back to', async () => {
      const app = start()
      const ada = app.browser()
      await app.signIn(ada, 'ada')
      const sent = await ada.get('/guarded?a=b').set(navigation).expect(303)
      const begun = await ada.get(sent.headers['location']!).set(navigation).expect(303)
      const back = await approve(new URL(begun.headers['location']!), 'ada')
      const landed = await ada.get(back).set(navigation).expect(303)
      expect(landed.headers['location']).toBe('/guarded?a=b')
      expect((await ada.get('/guarded?a=b').set(navigation).expect(200)).text).toBe('in')
    })

    test('OC-10 five tabs begin a login at once and all finish, in any order', async () => {
      const app = start()
      const ada = app.browser()
      await app.signIn(ada, 'ada')
      const tabs: URL[] = []
      for (const tab of [1, 2, 3, 4, 5]) tabs.push(await app.begin(ada, `/tab/${tab}`))
      for (const tab of [4, 1, 5, 3, 2]) {
        const landed = await ada.get(await approve(tabs[tab - 1]!, 'ada')).set(navigation)
        expect(landed.status, `tab ${tab}`).toBe(303)
        expect(landed.headers['location']).toBe(`/tab/${tab}`)
        expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
      }
      expect(app.errors).toEqual([])
    })

    test('OC-30 what a thief knew of a session before a login opens nothing after it', async () => {
      const app = start()
      const ada = app.browser()
      await ada.post('/basket/full')
      for (const login of ['the first', 'the second']) {
        const known = cookiesOf(ada).join('; ')
        await app.logIn(ada, 'ada')
        await ada.get('/me').expect(200)
        const thief = await app.browser().get('/me').set('cookie', known)
        expect(thief.status, login).toBe(401)
      }
    })

    test('OC-31 a login that is cancelled leaves the session as it was', async () => {
      const app = start()
      const ada = app.browser()
      await app.logIn(ada, 'ada')
      await ada.post('/basket/full')
      const before = cookiesOf(ada).filter((cookie) => !/\.last=/.test(cookie))
      const cancelled = await app.logInAtProvider(ada, 'ada', { cancel: true })
      expect(cancelled.status).toBe(403)
      expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
      expect(cookiesOf(ada)).toEqual(expect.arrayContaining(before))
      if (app.hasSession) expect((await ada.get('/basket')).text).toBe('full')
    })

    test('what the app keeps in its session is still there after a login', async (context) => {
      const app = start()
      context.skip(!app.hasSession, 'there is no session of the app')
      const ada = app.browser()
      await ada.post('/basket/full')
      await app.logIn(ada, 'ada')
      expect((await ada.get('/basket')).text).toBe('full')
      await app.logIn(ada, 'ada')
      expect((await ada.get('/basket')).text).toBe('full')
    })

    test('two browsers, two users: each is itself, and one logout is not the other', async () => {
      const app = start()
      const [one, two] = [app.browser(), app.browser()]
      await Promise.all([app.logIn(one, 'ada'), app.logIn(two, 'grace')])
      const replies = await Promise.all(
        Array.from({ length: 10 }, (_, index) => (index % 2 ? one : two).get('/me')),
      )
      expect(replies.map(({ body }) => body.id)).toEqual(
        replies.map((_, index) => (index % 2 ? 'ada' : 'grace')),
      )
      await app.signOut(one)
      await one.get('/me').expect(401)
      expect((await two.get('/me').expect(200)).body.id).toBe('grace')
    })

    test('another person in the same browser finds nothing of the one before', async () => {
      const app = start()
      const shared = app.browser()
      await app.logIn(shared, 'ada')
      await shared.get('/me').expect(200)
      const former = cookiesOf(shared).join('; ')
      await app.signOut(shared)
      await app.logIn(shared, 'grace')
      expect((await shared.get('/me').expect(200)).body.id).toBe('grace')
      await app.browser().get('/me').set('cookie', former).expect(401)
    })

    test('LO-03 what ends during a request that saves the session late stays ended', async () => {
      const app = start()
      const ada = app.browser()
      await app.logIn(ada, 'ada')
      const cookie = cookiesOf(ada).join('; ')
      const slow = app
        .browser()
        .get('/slow')
        .set('cookie', cookie)
        .then((reply) => reply)
      await app.gate.reached
      await app.endGrant(ada)
      app.gate.open()
      const late = await slow
      await ada.get('/me').expect(401)
      await app.browser().get('/me').set('cookie', cookie).expect(401)
      const set = ((late.headers['set-cookie'] ?? []) as unknown as string[]).join('; ')
      await app.browser().get('/me').set('cookie', `${cookie}; ${set}`).expect(401)
    })

    test('SE-11 GET session says who is connected, and no token', async () => {
      const app = start()
      const ada = app.browser()
      await app.logIn(ada, 'ada')
      const { body, text } = await ada.get(`${app.basePath}/session`).expect(200)
      expect(body.providers.spotify).toMatchObject({
        connected: true,
        profile: { subject: 'ada' },
      })
      expect(text).not.toMatch(/token/i)
      await app.signOut(ada)
      const after = await ada.get(`${app.basePath}/session`).expect(200)
      expect(after.body.providers.spotify.connected).toBe(false)
    })
  })
}
