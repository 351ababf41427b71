import { describe, expect, test } from 'vitest'
import { oidc } from '../../src/oauth/providers/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { loginAs } from '../../src/testing/index.ts'
import { hostileRows } from '../hostile.ts'
import { createApp, useWorld, expressVersions, ownForm } from './express-app.ts'
import { cookiesOf } from './flow.ts'
import { targets } from './targets.ts'

const world = useWorld()

interface TokenReply {
  refresh_token: string
}

/** The rows are written for this origin. */
const rowOrigin = 'https://app.example.com'

describe.each(Object.entries(targets))('hostile logouts on %s', (_name, createOn) => {
  test.each(
    hostileRows('logout')
      // LO-16 is a test of its own below.
      .filter((row) => row.input.during === undefined)
      .map((row) => [row.id, JSON.stringify(row.input), row] as const),
  )('%s %s', async (_id, _input, row) => {
    const { browser } = createOn(world)
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
    const checks: Record<string, () => void> = {
      'session-intact': () => expect(me.status).toBe(200),
      'session-gone': () => expect(me.status).toBe(401),
      'no-offsite-redirect': () => expect(reply.headers['location']).toMatch(/^\/(?![/\\])/),
      'no-500': () => expect(reply.status).toBeLessThan(500),
    }
    for (const name of row.expect.assert) {
      expect(Object.keys(checks), 'what is checked').toContain(name)
      checks[name]!()
    }
  })
})

describe.each(Object.entries(expressVersions))('express-session on %s', (_name, express) => {
  test('LO-16 a logout during a request that writes the session stays a logout', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let begin = () => {}
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const { browser, auth } = createApp(world, {
      express,
      session: 'express-session',
      routes: (app) =>
        app.get('/slow', async (req, res) => {
          ;(req.session as unknown as { seen: number }).seen = Date.now()
          begin()
          await held
          res.send('done')
        }),
    })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const cookies = cookiesOf(ada).join('; ')
    const slow = ada.get('/slow').then((reply) => reply)
    await begun
    const before = world.provider.seen.revocations
    await browser().post('/auth/logout').set(ownForm).set('cookie', cookies).expect(303)
    release()
    await slow
    // express-session has written the session back; what it names is gone.
    await browser().get('/me').set('cookie', cookies).expect(401)
    await auth.close()
    expect(world.provider.seen.revocations).toBe(before + 1)
  })
})

describe.each(Object.entries(targets))('logout on %s', (_name, createOn) => {
  test('LO-01 counts Origin where Sec-Fetch-Site is missing, and nothing else', async () => {
    const { browser } = createOn(world)
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
    const { browser, auth } = createOn(world)
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
      const { browser, auth } = createOn(world)
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
    const { browser } = createOn(world)
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
    const { browser } = createOn(world)
    const reply = await browser()
      .post('/auth/logout')
      .set({ ...ownForm, accept: 'application/json' })
    expect(reply.status).toBe(204)
  })

  test('disconnect ends the grant of one provider and needs the same proof', async () => {
    const { browser } = createOn(world)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.post('/auth/spotify/disconnect').set('origin', 'https://evil.example').expect(403)
    await ada.get('/me').expect(200)
    await ada.post('/auth/spotify/disconnect').set(ownForm).expect(303)
    await ada.get('/me').expect(401)
  })
})

describe('a logout that goes on at the provider', () => {
  test('LO-04 has ended everything here, and goes on, while the provider’s server hangs', async () => {
    const store = memoryStore()
    const { issuer, clientId, clientSecret } = world.provider.overrides
    const appWith = (fetching: typeof fetch) => {
      const apiBaseUrl = world.api.baseUrl
      const known = { issuer, clientId, clientSecret, apiBaseUrl, endSession: true }
      const providers = { spotify: oidc({ ...known, fetch: fetching }) }
      return createApp(world, { options: { store, providers, timeouts: { token: 60 } } })
    }
    let asked = () => {}
    const hanging = new Promise<void>((resolve) => (asked = resolve))
    const app = appWith(fetch)
    const ada = app.browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    // A process that has just begun knows nothing of the provider yet.
    const begun = appWith(async (input, init) => {
      if (!String(input).includes('well-known')) return fetch(input, init)
      asked()
      return new Promise((_resolve, fail) => {
        init?.signal?.addEventListener('abort', () => fail(init.signal!.reason as Error))
      })
    })
    const leaving = begun
      .browser()
      .post('/auth/logout')
      .set(ownForm)
      .set('cookie', cookiesOf(ada).join('; '))
      .then((reply) => reply)
    await hanging
    await ada.get('/me').expect(401)
    const reply = await leaving
    expect(reply.status).toBe(303)
    expect(reply.headers['location']).toBe('/')
    await begun.auth.close({ timeout: 0.1 })
  })
})

describe('a logout during a refresh', () => {
  test('LO-04 revokes the tokens of a refresh that came between finding and deleting them', async () => {
    const store = memoryStore()
    const take = store.compareAndDelete.bind(store)
    const [issued, revoked]: unknown[][] = [[], []]
    const watching: typeof fetch = async (input, init) => {
      const reply = await fetch(input, init)
      if (String(input).endsWith('/token')) {
        issued!.push(((await reply.clone().json()) as TokenReply).refresh_token)
      } else if (String(input).endsWith('/revoke')) {
        revoked!.push((await new Request(input, init).formData()).get('token'))
      }
      return reply
    }
    const watched = { ...world, spotify: { ...world.spotify, fetch: watching } }
    const { browser, auth } = createApp(watched, {
      options: { store },
      routes: (app) =>
        app.get('/fresh-token', async (req, res) => {
          res.send(await req.tokens['spotify']!.getAccessToken({ forceRefresh: true }))
        }),
    })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const cookie = cookiesOf(ada).join('; ')
    store.compareAndDelete = async (key, version) => {
      store.compareAndDelete = take
      await browser().get('/fresh-token').set('cookie', cookie).expect(200)
      return take(key, version)
    }
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await auth.close()
    expect(issued).toHaveLength(2)
    expect(revoked).toEqual([issued![1]])
  })
})
