import type { Express, Request } from 'express'
import session from 'express-session'
import { Passport, type Strategy as PassportStrategy } from 'passport'
import { describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import {
  type Browser,
  createApp,
  navigation,
  ownForm,
  secret,
  useWorld,
} from '../middleware/express-app.ts'
import { cookiesOf } from '../middleware/flow.ts'
import { describeSessions } from './describe-sessions.ts'
import type { SessionSetUp } from './session-app.ts'

/** The strategy of the app's own: whoever knows the name is let in. */
class ByName implements PassportStrategy {
  name = 'by-name'
  declare success: (user: Express.User) => void
  declare fail: (status: number) => void
  authenticate(req: Request): void {
    const { name } = req.params
    if (typeof name === 'string') this.success({ id: `${name}@app` } as Express.User)
    else this.fail(401)
  }
}

/** The recipe "connect a provider to the user you already have". */
function passportSetUp(): SessionSetUp {
  return {
    hasSession: true,
    basePath: '/connect',
    options: {
      user: (req) => req.user?.id,
      signInUrl: '/sign-in',
    },
    before: appLogin,
    signIn: async (browser, user) => {
      await browser.post(`/sign-in/${user}`).expect(200)
    },
    signOut,
    // The session is the app's, and express-session brings it back when a request saves it late:
    // what behalf promises is about the grant.
    disconnect: async (browser) => {
      await browser.post('/connect/spotify/disconnect').set(ownForm).expect(303)
    },
  }
}

function appLogin(app: Express): void {
  const passport = new Passport()
  passport.use(new ByName())
  passport.serializeUser((user, done) => done(null, (user as { id: string }).id))
  passport.deserializeUser((id, done) => done(null, { id: String(id) }))
  app.use(session({ secret, resave: false, saveUninitialized: false }))
  app.use(passport.session())
  // passport gives the session a new id at login, and keeps the app's keys only if told so.
  const authenticate = passport.authenticate('by-name', { keepSessionInfo: true })
  app.post('/sign-in/:name', authenticate, (_req, res) => void res.send('in'))
  app.post('/sign-out', (req, res, next) => {
    req.logout((error) => (error ? next(error) : void res.send('out')))
  })
}

async function signOut(browser: Browser): Promise<void> {
  await browser.post('/sign-out').expect(200)
}

describeSessions('passport', passportSetUp)

describe('passport, whose users connect a provider', () => {
  const world = useWorld()
  const start = () => {
    const { options, before, basePath } = passportSetUp()
    return createApp(world, { options: { ...options, basePath: basePath! }, before: before! })
  }
  const connect = { user: 'ada', provider: 'spotify', path: '/connect' }

  test("the app's logout keeps the connection for the next login, on any device", async () => {
    const { browser } = start()
    const laptop = browser()
    await laptop.post('/sign-in/ada')
    await loginAs(laptop, connect)
    await signOut(laptop)
    await laptop.get('/me').expect(401)
    const phone = browser()
    await phone.post('/sign-in/ada')
    expect((await phone.get('/me').expect(200)).body.id).toBe('ada')
  })

  test('who is not signed in is sent to the sign-in, and connects after it', async () => {
    const { browser } = start()
    const ada = browser()
    const sent = await ada.get('/guarded').set(navigation).expect(303)
    expect(sent.headers['location']).toBe('/sign-in?returnTo=%2Fguarded')
    await ada.post('/sign-in/ada')
    const next = await ada.get('/guarded').set(navigation).expect(303)
    expect(next.headers['location']).toMatch(/^\/connect\/spotify\/login\?/)
  })

  test('connecting leaves the session id as passport has made it', async () => {
    const { browser } = start()
    const ada = browser()
    await ada.post('/sign-in/ada')
    const sid = () => cookiesOf(ada).find((cookie) => cookie.startsWith('connect.sid='))
    const before = sid()
    await loginAs(ada, connect)
    expect(before).toBeDefined()
    expect(sid()).toBe(before)
  })
})
