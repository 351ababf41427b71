import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { oauth2, oidc } from '../../src/oauth/providers/index.ts'
import { createTestProvider, loginAs, type TestProvider } from '../../src/testing/index.ts'
import { type HostileRow, hostileRows } from '../hostile.ts'
import { baseUrl, type Browser, createWorld, navigation, type World } from './express-app.ts'
import { approve, beginLogin, cookiesOf } from './flow.ts'
import { type Target, targets } from './targets.ts'

let world: World
let other: TestProvider
beforeAll(async () => {
  world = await createWorld()
  other = await createTestProvider()
})
afterAll(async () => {
  await world.close()
  await other.close()
})
beforeEach(() => {
  world.provider.reset()
  other.reset()
})

/** An app with a provider found by discovery, whose metadata promises `iss`, and a second one. */
function createTwoProviderApp(createApp: Target) {
  const { issuer, clientId, clientSecret } = world.provider.overrides
  const { issuer: otherIssuer, ...endpoints } = other.overrides
  return createApp(world, {
    options: {
      providers: {
        spotify: oidc({ issuer, clientId, clientSecret, apiBaseUrl: world.api.baseUrl }),
        B: oauth2({ ...endpoints, issuer: otherIssuer, userInfo: `${otherIssuer}/userinfo` }),
      } as never,
    },
  })
}

function fill(text: string, back: URL): string {
  const value = (name: string) => back.searchParams.get(name) ?? ''
  return text
    .replaceAll('${code}', encodeURIComponent(value('code')))
    .replaceAll('${state}', encodeURIComponent(value('state')))
    .replaceAll('${STATE-UPPERCASE}', encodeURIComponent(value('state').toUpperCase()))
    .replaceAll('${iss}', encodeURIComponent(value('iss')))
    .replaceAll('${ISS-UPPERCASE}', encodeURIComponent(value('iss').toUpperCase()))
}

async function send(row: HostileRow, browser: Browser, back: URL) {
  const { rawQuery, method, body, headers = {}, provider = 'spotify' } = row.input
  const path = `/auth/${provider}/callback${rawQuery === undefined ? '' : `?${fill(rawQuery, back)}`}`
  if (method === 'POST') return browser.post(path).set(headers).send(fill(body, back))
  return browser.get(path).set({ ...navigation, ...headers })
}

describe.each(Object.entries(targets))('hostile callbacks on %s', (_name, createApp) => {
  test.each(hostileRows('callback').map((row) => [row.id, row.expect.note ?? '', row] as const))(
    '%s %s',
    async (_id, _note, row) => {
      const { browser, errors } = createTwoProviderApp(createApp)
      const own = browser()
      const started = await beginLogin(own)
      const back = new URL(await approve(started, 'ada'), baseUrl)
      const asked = () => world.provider.seen.codeRequests + other.seen.codeRequests
      const before = { asked: asked(), cookies: cookiesOf(own) }

      if (row.input.ageSeconds) {
        vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + row.input.ageSeconds * 1000 })
      }
      const attacker = row.input.browser === 'own' ? own : browser()
      if (row.input.browser === 'other') await beginLogin(attacker)
      if (row.input.replay) await send(row, attacker, back)
      const times = row.input.parallel ?? 1
      const replies = await Promise.all(
        Array.from({ length: times }, () => send(row, attacker, back)),
      )
      vi.useRealTimers()

      for (const reply of replies) {
        if (row.expect.status) expect(row.expect.status).toContain(reply.status)
        expect(reply.status).toBeLessThan(500)
        const sent = JSON.stringify([reply.headers, reply.text])
        if (row.expect.assert.includes('no-reflection')) {
          expect(sent).not.toMatch(/script|onmouseover|evil\.example|SECRET|u001b/)
        }
        expect(reply.headers['location'] ?? '/').toMatch(/^\/(?!\/)/)
        expect(sent).not.toContain(back.searchParams.get('code'))
      }
      expect(JSON.stringify(errors.map(String))).not.toMatch(/script|evil\.example|SECRET|u001b/)
      const accepted = replies.filter(({ status }) => status === 303).length
      if (row.expect.assert.includes('no-token-call')) {
        expect(asked() - before.asked).toBe(row.input.replay ? 1 : 0)
      }
      if (row.expect.assert.includes('one-token-call')) expect(asked() - before.asked).toBe(1)
      if (row.expect.outcome === 'accept') expect(accepted).toBe(1)
      if (row.expect.outcome === 'exactly-one') expect(accepted).toBeGreaterThanOrEqual(1)
      const set = replies.flatMap(({ headers }) => (headers['set-cookie'] ?? []) as string[])
      const sessions = set.filter((cookie) => cookie.startsWith('behalf='))
      if (row.expect.assert.includes('one-session')) expect(sessions).toHaveLength(1)
      if (row.expect.assert.includes('no-crlf')) expect(set.join()).not.toContain('x=1')
      if (row.expect.assert.includes('clean-url')) {
        expect(replies.map(({ headers }) => headers['location'])).toEqual(['/'])
      }
      if (row.expect.assert.includes('no-session-change') && !row.input.replay) {
        await own.get('/me').expect(401)
      }
    },
  )
})

describe.each(Object.entries(targets))('a callback on %s', (_name, createApp) => {
  test('OC-31 that fails leaves the session that is there as it was', async () => {
    const { browser } = createApp(world)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.get('/auth/spotify/callback?error=access_denied').expect(400)
    await ada.get('/auth/spotify/callback?code=x&state=y').expect(400)
    await ada.get('/me').expect(200)
  })

  test('OC-20 answers 303 to a URL without code and state, and is never cached', async () => {
    const { browser } = createApp(world)
    const ada = browser()
    const reply = await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect(reply.status).toBe(303)
    expect(reply.headers['location']).toBe('/')
    expect(reply.headers['cache-control']).toBe('private, no-store')
    expect(reply.headers['referrer-policy']).toBe('no-referrer')
  })

  test('OC-32 opened once more by who is logged in leads to the app', async () => {
    const { browser } = createApp(world)
    const ada = browser()
    const back = await approve(await beginLogin(ada), 'ada')
    await ada.get(back).set(navigation).expect(303)
    const again = await ada.get(back).set(navigation)
    expect(again.status).toBe(303)
    expect(again.headers['location']).toBe('/')
    expect(world.provider.seen.codeRequests).toBe(1)
    const stranger = await browser().get(back).set(navigation)
    expect(stranger.status).toBe(400)
    expect(stranger.text).toContain('state_replayed')
  })

  test('with access denied goes to errorPage with the code, or is a page that says so', async () => {
    const cancelled = { user: 'ada', provider: 'spotify', cancel: true }
    const plain = createApp(world)
    const reply = await loginAs(plain.browser(), cancelled)
    expect(reply.status).toBe(403)
    expect(reply.text).toContain('access_denied')
    const paged = createApp(world, { options: { errorPage: '/sorry?from=login' } })
    const sent = await loginAs(paged.browser(), cancelled)
    expect(sent.status).toBe(303)
    expect(sent.headers['location']).toBe('/sorry?from=login&code=access_denied&provider=spotify')
  })

  test('OC-12 whose iss is another issuer is refused before the code is sent', async () => {
    world.provider.switches.iss = 'wrong'
    try {
      const { browser } = createApp(world)
      const reply = await loginAs(browser(), { user: 'ada', provider: 'spotify' }).catch(String)
      expect(String(reply)).toMatch(/400/)
      expect(world.provider.seen.codeRequests).toBe(0)
    } finally {
      world.provider.switches.iss = 'right'
    }
  })

  test('OC-13 GHSA-x445-f3h2-j279 at another provider than the login began at leaves that login as it was', async () => {
    const { browser } = createTwoProviderApp(createApp)
    const ada = browser()
    const back = await approve(await beginLogin(ada), 'ada')
    // Without iss, which would give it away by itself.
    const elsewhere = back.replace('/auth/spotify/', '/auth/B/').replace(/&?iss=[^&]*/, '')
    const reply = await ada.get(elsewhere).set(navigation)
    expect(reply.status).toBe(400)
    expect(reply.text).toContain('state_provider_changed')
    expect(other.seen.codeRequests).toBe(0)
    expect((await ada.get(back).set(navigation)).status).toBe(303)
  })
})

describe.each(Object.entries(targets))('onLogin on %s', (_name, createApp) => {
  test('sees who has logged in and may choose where it returns to', async () => {
    const seen: unknown[] = []
    const { browser } = createApp(world, {
      options: {
        onLogin: ({ provider, profile, grant, user }) => {
          seen.push({ provider, name: profile.name, scope: grant.scope.length, user })
          return { returnTo: '/welcome' }
        },
      },
    })
    const reply = await loginAs(browser(), { user: 'ada', provider: 'spotify', returnTo: '/x' })
    expect(reply.headers['location']).toBe('/welcome')
    expect(seen).toEqual([
      { provider: 'spotify', name: expect.any(String), scope: 4, user: undefined },
    ])
  })

  test('that throws stores nothing and revokes the tokens', async () => {
    const { browser, auth } = createApp(world, {
      options: {
        onLogin: () => {
          throw Object.assign(new Error('not on the list'), { status: 403 })
        },
      },
    })
    const ada = browser()
    const back = await approve(await beginLogin(ada), 'ada')
    await ada.get(back).set(navigation).expect(403)
    await ada.get('/me').expect(401)
    await auth.close()
    expect(world.provider.seen.revocations).toBe(1)
  })

  test('cannot lead off the site', async () => {
    const { browser } = createApp(world, {
      options: { onLogin: () => ({ returnTo: 'https://evil.example/' }) },
    })
    const reply = await loginAs(browser(), { user: 'ada', provider: 'spotify' })
    expect(reply.headers['location']).toBe('/')
  })
})
