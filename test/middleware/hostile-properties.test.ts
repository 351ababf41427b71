import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { baseUrl, navigation, useWorld } from './express-app.ts'
import { approve, authorizationParameters, beginLogin, cookiesOf } from './flow.ts'
import { type RawReply, sendAsIs } from './hostile-request.ts'
import { targets } from './targets.ts'

// More rows of each kind than hostile.json can have, and what must hold for all of them.

/** The headers with which the API was called. */
const forwarded: Headers[] = []
const world = useWorld({
  fetch: async (input: string | URL | Request, init?: RequestInit) => {
    const request = new Request(input, init)
    if (request.url.startsWith(world.api.baseUrl)) forwarded.push(request.headers)
    return fetch(input, init)
  },
})
const runs = { numRuns: 40 }
const patience = 60_000

/** What can stand in a request line. */
const visible = fc.string({
  unit: fc.constantFrom(...'aZ09-._~!$&\'()*+,;=:@/?%"<>[]{}\\^`|'.split('')),
  maxLength: 20,
})
const nasty = fc.oneof(
  visible,
  fc.constantFrom(
    '',
    '%00',
    '%0d%0aSet-Cookie:x=1',
    '%ff',
    '%E0%A4%A',
    '%3Cscript%3Ealert(1)%3C/script%3E',
    '%22onmouseover=%22',
    'https://evil.example/',
    '//evil.example',
    '%2f%2fevil.example',
    'javascript:alert(1)',
    '__proto__',
    '[object%20Object]',
    'a'.repeat(3_000),
  ),
)
const headerValue = fc.oneof(
  nasty,
  fc.constantFrom('"', ' ', ',,,', 'null', 'en;q=x', 'a,'.repeat(2_000), '\u00ff\u0080'),
)

/** One parameter of a query, also as qs would make an object of it. */
const parameterOf = (...names: string[]) =>
  fc
    .tuple(
      fc.oneof(fc.constantFrom(...names), visible),
      fc.constantFrom('', '', '[]', '[x]'),
      nasty,
    )
    .map(([name, kind, value]) => `${name}${kind}=${value}`)

const headersOf = (...names: string[]) =>
  fc.dictionary(fc.constantFrom(...names), headerValue, { maxKeys: 4 })

/** Never an error of the app's own, never off the site, and nothing comes back as it was sent. */
function expectHarmless(reply: RawReply): void {
  expect(reply.status).toBeLessThan(500)
  expect([307, 308]).not.toContain(reply.status)
  expect(`${[...reply.headers.values()].join('\n')}${reply.body}`).not.toMatch(
    /<script>alert|"onmouseover|javascript:alert/,
  )
  expect(reply.setCookies.join('\n')).not.toMatch(/^x=1/m)
  expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
}

describe.each(Object.entries(targets))('more of each kind on %s', (_name, createApp) => {
  test(
    'OC-05 OC-06 CVE-2025-67716 login: whatever is asked for, the authorization request is the app’s own',
    async () => {
      const names = [
        ...authorizationParameters,
        'returnTo',
        'prompt',
        'resource',
        'request',
        'nonce',
      ]
      const query = fc.array(parameterOf(...names), { maxLength: 6 })
      const headers = headersOf(
        'x-forwarded-host',
        'x-forwarded-proto',
        'forwarded',
        'x-original-url',
        'x-rewrite-url',
        'x-http-method-override',
        'referer',
        'origin',
        'accept-language',
      )
      const { app } = createApp(world)
      let begun = 0
      await fc.assert(
        fc.asyncProperty(query, headers, async (parameters, sent) => {
          const path = `/auth/spotify/login?${parameters.join('&')}`
          const reply = await sendAsIs(app, path, { ...sent, ...navigation })
          expectHarmless(reply)
          if (reply.status !== 303) {
            expect(reply.setCookies).toEqual([])
            return
          }
          begun += 1
          const { origin, searchParams } = new URL(reply.headers.get('location')!)
          expect(origin).toBe(world.provider.issuer)
          expect([...searchParams.keys()].toSorted()).toEqual(authorizationParameters)
          expect(searchParams.get('redirect_uri')).toBe(`${baseUrl}/auth/spotify/callback`)
          expect(searchParams.get('client_id')).toBe(world.provider.overrides.clientId)
          expect(searchParams.get('response_type')).toBe('code')
          expect(searchParams.get('code_challenge_method')).toBe('S256')
          expect(searchParams.get('state')).toMatch(/^[\w-]{43,}$/)
        }),
        runs,
      )
      expect(begun).toBeGreaterThan(runs.numRuns / 4)
    },
    patience,
  )

  test(
    'OC-17 OC-18 OC-31 CVE-2023-27490 callback: only its own state, code and iss, once each, log anybody in',
    async () => {
      const { browser, app } = createApp(world)
      const own = browser()
      const wrong = (name: string) => nasty.map((value) => `${name}=${value}`)
      const piece = fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom('state', 'code', 'iss') },
        wrong('state'),
        wrong('code'),
        wrong('iss'),
        parameterOf('error', 'error_description', 'error_uri', 'access_token', 'response', 'scope'),
      )
      let isLoggedIn = 0
      await fc.assert(
        fc.asyncProperty(fc.array(piece, { maxLength: 7 }), async (pieces) => {
          const back = new URL(await approve(await beginLogin(own), 'ada'), baseUrl)
          const right = (name: string) =>
            `${name}=${encodeURIComponent(back.searchParams.get(name)!)}`
          const parts = pieces.map((one) => (/^(state|code|iss)$/.test(one) ? right(one) : one))
          const query = parts.join('&')
          const asked = world.provider.seen.codeRequests
          const before = cookiesOf(own).find((cookie) => cookie.startsWith('behalf='))
          const cookie = cookiesOf(own).join('; ')
          const reply = await sendAsIs(app, `/auth/spotify/callback?${query}`, {
            ...navigation,
            cookie,
          })
          expectHarmless(reply)
          expect(reply.headers.get('location') ?? '/').toMatch(/^\/(?![/\\])/)
          const sent = new URLSearchParams(query)
          const is = (name: string) =>
            sent.getAll(name).length === 1 && sent.get(name) === back.searchParams.get(name)
          const isOurs = is('state') && (is('iss') || !sent.has('iss'))
          if (!isOurs) expect(world.provider.seen.codeRequests).toBe(asked)
          const session = reply.setCookies.filter((one) => one.startsWith('behalf='))
          if (isOurs && is('code') && reply.status === 303) {
            isLoggedIn += 1
            expect(session).toHaveLength(1)
          } else expect(session).toEqual([])
          expect(before).toBeUndefined()
        }),
        // A login that works now and then, so that the test itself is seen to be one.
        { ...runs, examples: [[['state', 'code', 'iss']], [['code', 'state', 'scope=x']]] },
      )
      expect(isLoggedIn).toBeGreaterThanOrEqual(2)
      await own.get('/me').expect(401)
    },
    patience,
  )

  test(
    'SE-05 SE-12 CVE-2024-47764 cookie: whatever a browser sends, it is nobody',
    async () => {
      const { app, browser } = createApp(world)
      const ada = browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      await beginLogin(ada)
      const [name, handle] = cookiesOf(ada)
        .find((cookie) => cookie.startsWith('behalf='))!
        .split('=') as [string, string]
      const login = cookiesOf(ada).find((cookie) => cookie.startsWith('behalf.t.'))!
      const inCookies = fc.string({
        unit: fc.constantFrom(...'aZ09-._%"\\,=; {}[]:'.split('')),
        maxLength: 60,
      })
      /** The handle with a part of it cut out and something else put in; never the handle itself. */
      const spoiled = fc
        .tuple(fc.nat(handle.length), fc.nat(3), inCookies)
        .map(
          ([at, cut, put]) => handle.slice(0, at) + put.replace(';', '') + handle.slice(at + cut),
        )
        .filter(
          (one) =>
            one
              .trim()
              .replace(/^"(.*)"$/, '$1')
              .trim() !== handle,
        )
      const value = fc.oneof(
        inCookies.map((one) => one.replaceAll(';', '')),
        spoiled,
        fc.constantFrom('', login.split('=')[1]!, 'a'.repeat(5_000), `${handle}.${handle}`),
      )
      const names = [
        name,
        `${name}.`,
        `${name}.t.x.y`,
        `__Host-${name}`,
        '__proto__',
        'constructor',
      ]
      const cookie = fc.tuple(fc.constantFrom(...names, login.split('=')[0]!), value)
      await fc.assert(
        fc.asyncProperty(fc.array(cookie, { maxLength: 12 }), inCookies, async (pairs, rest) => {
          const header = [...pairs.map((pair) => pair.join('=')), rest].join('; ')
          const me = await sendAsIs(app, '/me', { cookie: header })
          expect([401, 400, 431]).toContain(me.status)
          for (const path of [
            '/auth/session',
            '/auth/spotify/login',
            '/auth/spotify/callback?x=y',
          ]) {
            const reply = await sendAsIs(app, path, { ...navigation, cookie: header })
            expectHarmless(reply)
            expect(reply.body).not.toContain('"connected":true')
          }
        }),
        runs,
      )
      await ada.get('/me').expect(200)
    },
    patience,
  )

  test(
    'NX-02 CA-14 GHSA-xmf8-cvqr-rfgj CVE-2025-64484 GHSA-7x63-xv5r-3p2x header: none gives anybody anything, none keeps a user out, none goes to the API',
    async () => {
      const { app, browser } = createApp(world)
      const ada = browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      const cookie = cookiesOf(ada).join('; ')
      const headers = headersOf(
        'authorization',
        'x-user',
        'x-user-id',
        'x-forwarded-for',
        'x-forwarded-host',
        'x-forwarded-user',
        'x-forwarded-uri',
        'x_forwarded_user',
        'x-middleware-subrequest',
        'x-middleware-override-headers',
        'x-middleware-rewrite',
        'x-original-url',
        'x-http-method-override',
        'x-behalf',
        'accept',
        'accept-language',
        'accept-encoding',
        'range',
        'if-none-match',
        'if-modified-since',
        'cache-control',
        'pragma',
        'te',
        'via',
        'forwarded',
        'origin',
        'referer',
        'user-agent',
        'sec-fetch-site',
        'sec-purpose',
        'rsc',
      )
      await fc.assert(
        fc.asyncProperty(headers, async (sent) => {
          forwarded.length = 0
          const nobody = await sendAsIs(app, '/me', sent)
          expect([401, 400, 431]).toContain(nobody.status)
          const guarded = await sendAsIs(app, '/guarded', { ...sent, ...navigation })
          expect([303, 400, 403, 401, 431]).toContain(guarded.status)
          expect(guarded.body).not.toBe('in')
          expect(forwarded).toEqual([])

          const hers = await sendAsIs(app, '/me', { ...sent, cookie })
          expect([200, 304, 400, 431]).toContain(hers.status)
          if (hers.status === 200) expect(hers.body).toContain('"ada"')
          for (const one of forwarded) expect([...one.keys()]).toEqual(['authorization'])
        }),
        runs,
      )
      await ada.get('/me').expect(200)
    },
    patience,
  )

  test(
    'LO-01 LO-05 OC-21 logout: only a page of the app’s own ends a session, and stays on the site',
    async () => {
      const { app, browser } = createApp(world)
      const elsewhere = fc.constantFrom(
        'https://evil.example',
        'null',
        '',
        `${baseUrl}.evil.example`,
        baseUrl.toUpperCase(),
        `${baseUrl}/`,
        `${baseUrl}, https://evil.example`,
        'http://127.0.0.1:3001',
      )
      const foreign = fc.record(
        {
          origin: elsewhere,
          referer: fc.constant(`${baseUrl}/page`),
          'sec-fetch-site': fc.constantFrom('cross-site', 'same-site', 'none', 'SAME-ORIGIN', ''),
          'sec-fetch-mode': fc.constantFrom('navigate', 'cors', 'no-cors'),
          'x-http-method-override': fc.constant('POST'),
          accept: fc.constantFrom('text/html', 'application/json', '*/*'),
        },
        { requiredKeys: [] },
      )
      const own = fc.constantFrom<Record<string, string>>(
        { 'sec-fetch-site': 'same-origin' },
        { origin: baseUrl },
        { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
      )
      const method = fc.constantFrom('POST', 'GET', 'HEAD', 'PUT', 'DELETE')
      const ada = browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      const cookieOf = (one: typeof ada) => cookiesOf(one).join('; ')
      for (const route of ['/auth/logout', '/auth/spotify/disconnect']) {
        await fc.assert(
          fc.asyncProperty(method, foreign, nasty, async (how, headers, returnTo) => {
            const path = `${route}?returnTo=${returnTo}`
            const reply = await sendAsIs(app, path, { ...headers, cookie: cookieOf(ada) }, how)
            expectHarmless(reply)
            expect(reply.status).toBeGreaterThanOrEqual(400)
            expect(reply.setCookies).toEqual([])
          }),
          { numRuns: 30 },
        )
      }
      await ada.get('/me').expect(200)
      await fc.assert(
        fc.asyncProperty(own, nasty, async (headers, returnTo) => {
          const visitor = browser()
          await loginAs(visitor, { user: 'ada', provider: 'spotify' })
          const sent = { ...headers, cookie: cookieOf(visitor) }
          const reply = await sendAsIs(app, `/auth/logout?returnTo=${returnTo}`, sent, 'POST')
          expectHarmless(reply)
          expect(reply.status).toBe(303)
          const location = reply.headers.get('location')!
          expect(location).toMatch(/^\/(?![/\\])/)
          expect(new URL(location, baseUrl).origin).toBe(baseUrl)
          await visitor.get('/me').expect(401)
        }),
        { numRuns: 20 },
      )
    },
    patience,
  )
})
