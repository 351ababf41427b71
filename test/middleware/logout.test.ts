import { describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { hostileRows } from '../hostile.ts'
import { createApp, useWorld, expressVersions, ownForm } from './express-app.ts'
import { cookiesOf } from './flow.ts'

const world = useWorld()

/** The rows are written for this origin. */
const rowOrigin = 'https://app.example.com'

describe.each(Object.entries(expressVersions))('hostile logouts on %s', (_name, express) => {
  test.each(
    hostileRows('logout')
      .filter((row) => row.input.during === undefined)
      .map((row) => [row.id, JSON.stringify(row.input), row] as const),
  )('%s %s', async (_id, _input, row) => {
    const { browser } = createApp(world, { express })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const sender = row.input.browser === 'none' ? browser() : ada
    const { origin, ...headers } = row.input.headers ?? {}
    const sent = {
      ...headers,
      ...(origin ? { origin: origin === rowOrigin ? ownForm.origin : origin } : {}),
    }
    const form = row.input.returnTo ? { returnTo: row.input.returnTo } : {}
    const reply =
      row.input.method === 'GET'
        ? await sender.get('/auth/logout').set(sent)
        : await sender.post('/auth/logout').set(sent).type('form').send(form)
    expect(reply.status).toBeLessThan(500)
    if (row.expect.status) expect(row.expect.status).toContain(reply.status)
    if (row.expect.location) expect(reply.headers['location']).toBe(row.expect.location)
    const me = await ada.get('/me')
    if (row.expect.assert.includes('session-intact')) expect(me.status).toBe(200)
    if (row.expect.assert.includes('session-gone')) expect(me.status).toBe(401)
  })

  test('LO-16 a logout during a request that writes the session stays a logout', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const { browser } = createApp(world, {
      express,
      session: 'express-session',
      routes: (app) =>
        app.get('/slow', async (req, res) => {
          ;(req.session as unknown as { seen: number }).seen = Date.now()
          await held
          res.send('done')
        }),
    })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const cookies = cookiesOf(ada).join('; ')
    const slow = ada.get('/slow').then((reply) => reply)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await browser().post('/auth/logout').set(ownForm).set('cookie', cookies).expect(303)
    release()
    await slow
    // express-session has written the session back; what it names is gone.
    await browser().get('/me').set('cookie', cookies).expect(401)
  })
})

describe('logout', () => {
  test('LO-01 counts Origin where Sec-Fetch-Site is missing, and nothing else', async () => {
    const { browser } = createApp(world)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    for (const headers of [
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site', origin: ownForm.origin },
      { 'sec-fetch-site': 'none', origin: ownForm.origin },
      { referer: `${ownForm.origin}/` },
    ]) {
      const reply = await ada.post('/auth/logout').set(headers as Record<string, string>)
      expect(reply.status, JSON.stringify(headers)).toBe(403)
      expect(reply.body.code).toBe('cross_site_request')
    }
    await ada.get('/me').expect(200)
    await ada.post('/auth/logout').set('origin', ownForm.origin).expect(303)
    await ada.get('/me').expect(401)
  })

  test('LO-02 the old cookie is anonymous afterwards, and the tokens are revoked', async () => {
    const { browser, auth } = createApp(world)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const cookies = cookiesOf(ada).join('; ')
    const before = world.provider.seen.revocations
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await browser().get('/me').set('cookie', cookies).expect(401)
    await auth.close()
    expect(world.provider.seen.revocations).toBe(before + 1)
  })

  test('LO-04 a revocation endpoint that hangs or fails does not hold up the logout', async () => {
    for (const revocation of ['hangs', 'unavailable'] as const) {
      world.provider.switches.revocation = revocation
      const { browser, auth } = createApp(world)
      const ada = browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      const startedAt = Date.now()
      await ada.post('/auth/logout').set(ownForm).expect(303)
      expect(Date.now() - startedAt).toBeLessThan(1_000)
      await ada.get('/me').expect(401)
      await auth.close({ timeout: 0.1 })
    }
    world.provider.switches.revocation = 'works'
  })

  test('LO-06 deletes its cookie with the attributes that it was set with', async () => {
    const { browser } = createApp(world)
    const ada = browser()
    const landed = await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const gone = await ada.post('/auth/logout').set(ownForm)
    const attributes = (reply: { headers: object }, start: string) => {
      const cookies = (reply.headers as { 'set-cookie': string[] })['set-cookie']
      const found = cookies.find((cookie) => cookie.startsWith(start))
      return found
        ?.split('; ')
        .slice(1)
        .filter((part) => !/^(Max-Age|Expires)=/.test(part))
    }
    expect(attributes(gone, 'behalf=')).toEqual(attributes(landed, 'behalf='))
  })

  test('a script that asks for JSON gets 204', async () => {
    const { browser } = createApp(world)
    const reply = await browser()
      .post('/auth/logout')
      .set({ ...ownForm, accept: 'application/json' })
    expect(reply.status).toBe(204)
  })

  test('disconnect ends the grant of one provider and needs the same proof', async () => {
    const { browser } = createApp(world)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.post('/auth/spotify/disconnect').set('origin', 'https://evil.example').expect(403)
    await ada.get('/me').expect(200)
    await ada.post('/auth/spotify/disconnect').set(ownForm).expect(303)
    await ada.get('/me').expect(401)
  })
})
