import session from 'express-session'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { createApp, expressVersions, navigation, useWorld } from './express-app.ts'
import { approve, beginLogin, cookiesOf } from './flow.ts'

const world = useWorld()

const fromElsewhere = { ...navigation, 'sec-fetch-site': 'cross-site' }
const fromHere = { ...navigation, 'sec-fetch-site': 'same-origin' }

/** The only link of a page, or where it goes by itself. */
const linkOf = (page: string) => /href="([^"]+)"/.exec(page)![1]!.replaceAll('&#38;', '&')

describe.each(Object.entries(expressVersions))('on %s', (_name, express) => {
  test('a login that another site has begun is confirmed first', async () => {
    const { browser } = createApp(world, { express })
    const ada = browser()
    const asked = await ada.get('/auth/spotify/login?returnTo=/me').set(fromElsewhere)
    expect(asked.status).toBe(200)
    expect(asked.text).toContain('Another site, or another address of this one, has sent you here')
    expect(asked.headers['set-cookie']).toBeUndefined()
    expect(asked.headers['x-frame-options']).toBe('DENY')
    expect(asked.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    const link = linkOf(asked.text)
    expect(link).toBe('/auth/spotify/login?returnTo=/me')
    const begun = await ada.get(link).set(fromHere)
    expect(begun.status).toBe(303)
    const landed = await ada
      .get(await approve(new URL(begun.headers['location']!), 'ada'))
      .set(fromElsewhere)
    expect(landed.headers['location']).toBe('/me')
  })

  test.each(['same-origin', 'same-site', 'none'])(
    'a login that was begun %s is not asked about',
    async (site) => {
      const { browser } = createApp(world, { express })
      const headers = { ...navigation, 'sec-fetch-site': site }
      await browser().get('/auth/spotify/login').set(headers).expect(303)
    },
  )

  test('what another site writes into the address is text on that page', async () => {
    const { browser } = createApp(world, { express })
    const path = '/auth/spotify/login?returnTo=/%22%3E%3Cscript%3E&x="><script>alert(1)</script>'
    const { text } = await browser().get(encodeURI(path)).set(fromElsewhere)
    expect(text).not.toContain('<script')
  })
})

describe('a session cookie that is SameSite=Strict', () => {
  const own = { options: { cookie: { sameSite: 'strict' as const } } }

  test('OC-20 is there after a login: the way back leads over a page of the app’s own', async () => {
    const { browser } = createApp(world, own)
    const ada = browser()
    world.provider.reset()
    const back = await approve(await beginLogin(ada, { returnTo: '/guarded' }), 'ada')
    const first = await ada.get(back).set(fromElsewhere)
    expect(first.status).toBe(303)
    const clean = first.headers['location']!
    expect(clean).toMatch(/^\/auth\/spotify\/callback\?resume=[0-9a-f]{12}$/)
    expect(world.provider.seen.codeRequests).toBe(0)
    const page = await ada.get(clean).set(fromElsewhere)
    expect(page.status).toBe(200)
    expect(page.headers['cache-control']).toContain('no-store')
    for (const secret of new URL(back, 'http://x').searchParams.values()) {
      expect(page.text + clean).not.toContain(secret)
    }
    const landed = await ada.get(linkOf(page.text)).set(fromHere)
    expect(landed.status).toBe(303)
    expect(landed.headers['location']).toBe('/guarded')
    await ada.get('/guarded').set(fromHere).expect(200)
    expect(cookiesOf(ada).some((one) => one.includes('.r.'))).toBe(false)
    // Back in the browser's history leads to the app.
    const again = await ada.get(linkOf(page.text)).set(fromHere)
    expect([again.status, again.headers['location']]).toEqual([303, '/'])
  })

  test('browsers that say nothing of sites, and Lax cookies, go the short way', async () => {
    for (const [settings, headers] of [
      [own, navigation],
      [{}, fromElsewhere],
    ] as const) {
      const ada = createApp(world, settings).browser()
      const landed = await ada.get(await approve(await beginLogin(ada), 'ada')).set(headers)
      expect(landed.headers['location']).toBe('/')
    }
  })

  test('what was kept is of that browser and that login, and is used once', async () => {
    const { browser } = createApp(world, own)
    const [ada, eve] = [browser(), browser()]
    const back = await approve(await beginLogin(ada), 'ada')
    const clean = (await ada.get(back).set(fromElsewhere)).headers['location']!
    await eve.get(`${clean}&go=1`).set(fromHere).expect(400)
    await ada.get(`${clean}&go=1`).set(fromHere).expect(303)
    // Whatever stands there is no name of a cookie.
    for (const resume of ['', 'x', '../../etc', '0123456789ab']) {
      const path = `/auth/spotify/callback?resume=${resume}&go=1`
      const reply = await browser().get(path).set(fromHere)
      expect(reply.status).toBe(400)
    }
  })

  test('the app’s own user, whose cookie stays behind, is found again', async () => {
    const { browser, auth } = createApp(world, {
      before: (app) => {
        const cookie = { sameSite: 'strict' as const }
        app.use(session({ secret: 'the app', resave: false, saveUninitialized: false, cookie }))
        app.post('/sign-in', (req, res) => {
          ;(req.session as unknown as { user: string }).user = 'user-1'
          res.send('in')
        })
      },
      options: {
        session: 'own',
        user: (req: { session?: { user?: string } }) => req.session?.user,
      },
    })
    const ada = browser()
    await ada.post('/sign-in')
    const back = await approve(await beginLogin(ada), 'ada')
    const withoutStrict = cookiesOf(ada).filter((one) => !one.startsWith('connect.sid'))
    const first = await browser()
      .get(back)
      .set({ ...fromElsewhere, cookie: withoutStrict.join('; ') })
    const clean = first.headers['location']!
    expect(clean).toContain('resume=')
    const kept = (first.headers['set-cookie'] as unknown as string[])[0]!.split(';')[0]!
    const cookie = [...cookiesOf(ada), kept].join('; ')
    const landed = await browser()
      .get(`${clean}&go=1`)
      .set({ ...fromHere, cookie })
    expect(landed.status).toBe(303)
    expect(await (await auth.forUser('user-1')).tokens.spotify.grant()).toBeDefined()
  })

  test('OC-16 another user of the app than began it is refused after the detour, too', async () => {
    let user = 'user-1'
    const { browser } = createApp(world, { ...own, options: { ...own.options, user: () => user } })
    const ada = browser()
    const back = await approve(await beginLogin(ada), 'ada')
    const clean = (await ada.get(back).set(fromElsewhere)).headers['location']!
    user = 'user-2'
    const landed = await ada.get(`${clean}&go=1`).set(fromHere)
    expect(landed.status).toBe(400)
    expect(landed.text).toContain('state_user_changed')
  })
})

test('a store that is away for a moment costs no login on the way back over the own page', async () => {
  const inner = memoryStore()
  let isAway = false
  const store: Store = new Proxy(inner, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (isAway) throw new Error('away')
        return Reflect.apply(value as () => unknown, target, args)
      }
    },
  })
  const { browser } = createApp(world, { options: { store, cookie: { sameSite: 'strict' } } })
  const ada = browser()
  const back = await approve(await beginLogin(ada, { returnTo: '/me' }), 'ada')
  const clean = (await ada.get(back).set(fromElsewhere)).headers['location']!
  isAway = true
  await ada.get(`${clean}&go=1`).set(fromHere).expect(503)
  isAway = false
  const landed = await ada.get(`${clean}&go=1`).set(fromHere)
  expect(landed.headers['location']).toBe('/me')
})
