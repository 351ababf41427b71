import { createHmac, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { oidc } from '../../src/oauth/providers/index.ts'
import type { TestProvider } from '../../src/testing/index.ts'
import { type HostileRow, hostileRows } from '../hostile.ts'
import { createApp, navigation, ownForm, useWorld } from '../middleware/express-app.ts'
import { approve, beginLogin } from '../middleware/flow.ts'

type Claims = Record<string, unknown>
type IdTokenMaker = Extract<TestProvider['switches']['idToken'], (...args: never) => unknown>
type Metadata = Readonly<Record<string, unknown>>

const world = useWorld()
beforeEach(() => world.provider.reset())

const patience = 60_000
const json = { 'content-type': 'application/json' }

/** What was sent anywhere, and to where; only this machine is really asked. */
class Outgoing {
  readonly urls: string[] = []
  readonly #secret = world.provider.overrides.clientSecret!

  fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    this.urls.push(request.url)
    const told = `${[...request.headers].join('\n')}\n${await request.clone().text()}`
    const isHome = request.url.startsWith(`${world.provider.issuer}/`)
    if (!isHome && request.url !== `${world.api.baseUrl}/me`) {
      const basic = Buffer.from(`${world.provider.overrides.clientId}:${this.#secret}`)
      if (told.includes(this.#secret) || told.includes(basic.toString('base64'))) {
        throw new Error(`the secret went to ${request.url}`)
      }
      throw new TypeError('fetch failed')
    }
    return fetch(input, init)
  }

  to(path: string): number {
    return this.urls.filter((url) => new URL(url).pathname === path).length
  }
}

function appWith(options: object = {}) {
  const { issuer, clientId, clientSecret } = world.provider.overrides
  const outgoing = new Outgoing()
  const provider = oidc({
    issuer,
    clientId,
    clientSecret,
    apiBaseUrl: world.api.baseUrl,
    fetch: outgoing.fetch,
    ...options,
  })
  const app = createApp(world, {
    options: { providers: { spotify: provider }, timeouts: { token: 3 } },
  })
  return { ...app, outgoing }
}

/** Goes through a login; gives the status of the callback, after looking whether it left anything. */
async function loginStatus(app: ReturnType<typeof appWith>): Promise<number> {
  const ada = app.browser()
  const back = await approve(await beginLogin(ada), 'ada')
  const { status, headers } = await ada.get(back).set(navigation)
  const { body } = await ada.get('/auth/session')
  expect(body.providers.spotify.connected).toBe(status === 303)
  if (status !== 303) expect(String(headers['set-cookie'])).not.toMatch(/behalf=[^;]/)
  return status
}

describe('ID tokens', () => {
  const by =
    (change: (claims: Claims) => Claims, header: Record<string, unknown> = {}): IdTokenMaker =>
    (claims, sign) =>
      sign(change(claims), header)
  const same = (claims: Claims) => claims
  const attacker = 'https://evil.example/keys'
  const jwk = { kty: 'oct', k: 'AAAA' }
  const makers: Record<string, IdTokenMaker> = {
    'HS256 signed with client_secret when RS256 expected': (claims) => {
      const input = [{ alg: 'HS256', typ: 'JWT' }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.')
      const { clientSecret } = world.provider.overrides
      return `${input}.${createHmac('sha256', clientSecret!).update(input).digest('base64url')}`
    },
    'iss other': by((claims) => ({ ...claims, iss: 'https://evil.example' })),
    'aud other': by((claims) => ({ ...claims, aud: 'another' })),
    'aud array without azp': by((claims) => ({ ...claims, aud: [claims['aud'], 'another'] })),
    'sub missing': by(({ sub: _dropped, ...claims }) => claims),
    'typ at+jwt': by(same, { typ: 'at+jwt' }),
    'typ logout+jwt': by(same, { typ: 'logout+jwt' }),
    'kid unknown x1000': by(same, { kid: 'unknown' }),
    'jku/x5u/jwk header pointing to attacker': by(same, {
      kid: 'evil',
      jku: attacker,
      x5u: attacker,
      jwk,
    }),
    'payload 10 MB': by((claims) => ({ ...claims, more: 'x'.repeat(10 * 2 ** 20) })),
    'userinfo sub differs': by((claims) => ({ ...claims, sub: 'grace' })),
    'signature stripped': (claims, sign) => sign(claims).replace(/[^.]*$/, ''),
  }

  test.each(hostileRows('idToken').map((row) => [row.id, row.input.token as string, row] as const))(
    '%s OC-25 %s: nobody is logged in',
    async (_id, what) => {
      expect(Object.keys(makers), 'what is tested').toContain(what)
      const app = appWith()
      world.provider.switches.idToken = makers[what]!
      const times = what.includes('x1000') ? 20 : 1
      for (let time = 0; time < times; time += 1) {
        const status = await loginStatus(app)
        expect([400, 502]).toContain(status)
      }
      expect(app.outgoing.to('/jwks')).toBeLessThanOrEqual(2)
      expect(app.outgoing.urls.join()).not.toContain('evil.example')
    },
    patience,
  )

  test('the same login with the token as it is works, also where it says its type otherwise', async () => {
    for (const typ of [undefined, 'JWT', 'jwt', 'application/jwt']) {
      world.provider.switches.idToken = by(same, { typ })
      expect(await loginStatus(appWith()), String(typ)).toBe(303)
    }
  })

  test('OC-25 CVE-2024-28176 CVE-2022-36083 that is encrypted, to cost time or memory, is not even opened', async () => {
    const expensive = { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2_147_483_647, p2s: 'AAAA' }
    const bomb = { alg: 'dir', enc: 'A128GCM', zip: 'DEF' }
    for (const header of [expensive, bomb]) {
      const parts = [JSON.stringify(header), 'key', 'iv', 'x'.repeat(100_000), 'tag']
      const token = parts.map((part) => Buffer.from(part).toString('base64url')).join('.')
      world.provider.switches.idToken = () => token
      const startedAt = process.cpuUsage()
      expect([400, 502]).toContain(await loginStatus(appWith()))
      expect(process.cpuUsage(startedAt).user / 1e6).toBeLessThan(10)
    }
  })

  test('OC-25 GHSA-675f-rq2r-jw82 of a key that the provider has taken away, nobody is logged in for long', async () => {
    let keys: object | undefined
    const app = appWith({
      fetch: (async (input, init) =>
        keys && String(input).endsWith('/jwks')
          ? Response.json(keys)
          : fetch(input, init)) as typeof fetch,
    })
    expect(await loginStatus(app)).toBe(303)
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const other = { ...publicKey.export({ format: 'jwk' }), kid: 'new', alg: 'RS256', use: 'sig' }
    keys = { keys: [other] }
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
    try {
      expect([400, 502]).toContain(await loginStatus(app))
      expect(await loginStatus(appWith())).toBe(303)
    } finally {
      vi.useRealTimers()
    }
  })

  test(
    'OC-25 of which a claim that counts is anything else, nobody is logged in',
    async () => {
      const app = appWith()
      const anything = fc.oneof(
        fc.jsonValue({ maxDepth: 1 }),
        fc.constantFrom('', 'none', -1, 0, 1e308, 'ada ', '__proto__', null, true, []),
      )
      const claim = fc.constantFrom('iss', 'aud', 'nonce', 'sub', 'exp', 'at_hash')
      await fc.assert(
        fc.asyncProperty(claim, anything, async (name, value) => {
          const now = Date.now() / 1000
          // A later end is a good one; one claim that is as it was is no change.
          fc.pre(!(name === 'exp' && typeof value === 'number' && value > now))
          world.provider.switches.idToken = by((claims) => {
            expect(value).not.toEqual(claims[name])
            return { ...claims, [name]: value }
          })
          expect([400, 502]).toContain(await loginStatus(app))
        }),
        { numRuns: 40 },
      )
    },
    patience,
  )

  test(
    'OC-25 GHSA-869p-cjfg-cm3x of which a single character is another, nobody is logged in',
    async () => {
      const app = appWith()
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ '
      const other = fc.constantFrom('', ...alphabet)
      await fc.assert(
        fc.asyncProperty(fc.nat(1_000_000), other, async (position, character) => {
          let isChanged = false
          world.provider.switches.idToken = (claims, sign) => {
            const token = sign(claims)
            // The last character of a part may hold bits that nobody reads.
            const places = [...token].flatMap((one, at) =>
              one === '.' || token[at + 1] === '.' || at === token.length - 1 ? [] : [at],
            )
            const at = places[position % places.length]!
            const changed = token.slice(0, at) + character + token.slice(at + 1)
            isChanged = changed !== token
            return changed
          }
          const status = await loginStatus(app)
          if (isChanged) expect([400, 502]).toContain(status)
          else expect(status).toBe(303)
        }),
        { numRuns: 40 },
      )
    },
    patience,
  )
})

describe('metadata', () => {
  const by = (change: (metadata: Metadata) => unknown) => {
    world.provider.switches.discovery = (metadata) => ({
      headers: json,
      body: JSON.stringify(change(metadata)),
    })
  }
  const behaviours: Record<string, () => void> = {
    'redirects to other host': () => {
      world.provider.switches.discovery = () => ({
        status: 302,
        headers: { location: 'https://evil.example/.well-known/openid-configuration' },
      })
    },
    '10 MB': () => by((metadata) => ({ ...metadata, more: 'x'.repeat(10 * 2 ** 20) })),
    hangs: () => (world.provider.switches.discovery = 'hangs'),
    'token_endpoint javascript:': () =>
      by((metadata) => ({ ...metadata, token_endpoint: 'javascript:alert(1)' })),
    'jwks_uri http://169.254.169.254/': () =>
      by((metadata) => ({ ...metadata, jwks_uri: 'http://169.254.169.254/' })),
    'unavailable at first start': () => (world.provider.switches.discovery = 'unavailable'),
    'removes S256 from code_challenge_methods_supported': () =>
      by((metadata) => ({ ...metadata, code_challenge_methods_supported: ['plain'] })),
  }

  /** Logs in as far as it goes; gives the status where it ended. */
  async function attempt(app: ReturnType<typeof appWith>): Promise<number> {
    const ada = app.browser()
    const begun = await ada.get('/auth/spotify/login').set(navigation)
    if (begun.status !== 303) return begun.status
    const authorization = new URL(begun.headers['location']!)
    expect(authorization.protocol).toMatch(/^https?:$/)
    if (authorization.origin !== world.provider.issuer) return 303
    const landed = await ada.get(await approve(authorization, 'ada')).set(navigation)
    return landed.status
  }

  test.each(
    hostileRows('discovery').map(
      (row: HostileRow) => [row.id, row.input.behaviour as string, row] as const,
    ),
  )(
    '%s OC-22 GHSA-c4j6-fc7j-m34r that %s: an error that says so, the app still serves, and nothing is sent elsewhere',
    async (_id, what) => {
      expect(Object.keys(behaviours), 'what is tested').toContain(what)
      behaviours[what]!()
      const app = appWith()
      const startedAt = performance.now()
      const status = await attempt(app)
      expect(performance.now() - startedAt).toBeLessThan(10_500)
      // Without S256 it is a matter of the configuration (500, config_invalid).
      expect(what.includes('S256') ? [500] : [502, 503]).toContain(status)
      expect(app.outgoing.urls.join()).not.toMatch(/evil\.example|169\.254|javascript/)
      await app.browser().get('/').expect(200)
    },
    patience,
  )

  test('LO-04 that leads a logout astray keeps nobody logged in', async () => {
    for (const endpoint of ['javascript:alert(1)', 'http://evil.example/logout', 'x', 7]) {
      by((metadata) => ({ ...metadata, end_session_endpoint: endpoint }))
      const ada = appWith({ endSession: true }).browser()
      await ada.get(await approve(await beginLogin(ada), 'ada')).set(navigation)
      await ada.get('/me').expect(200)
      const { headers } = await ada.post('/auth/logout').set(ownForm).expect(303)
      expect(headers['location'], String(endpoint)).not.toMatch(/javascript|evil\.example/)
      await ada.get('/me').expect(401)
    }
  })

  test(
    'OC-22 in which anything stands for anything: no accident, and no secret leaves for plain http',
    async () => {
      const names = [
        'issuer',
        'authorization_endpoint',
        'token_endpoint',
        'userinfo_endpoint',
        'jwks_uri',
        'pushed_authorization_request_endpoint',
        'require_pushed_authorization_requests',
        'code_challenge_methods_supported',
        'authorization_response_iss_parameter_supported',
        'id_token_signing_alg_values_supported',
        'token_endpoint_auth_methods_supported',
        'response_types_supported',
      ]
      const value = fc.oneof(
        fc.jsonValue({ maxDepth: 1 }),
        fc.constantFrom(
          '',
          'javascript:alert(1)',
          'file:///etc/passwd',
          'data:application/json,{}',
          'http://169.254.169.254/latest',
          'http://evil.example/token',
          'https://user:password@evil.example/',
          'https://[',
          '//evil.example',
          '/token',
          'x'.repeat(20_000),
          ['plain'],
          ['S256', 7],
          {},
        ),
      )
      await fc.assert(
        fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), value), async (members) => {
          by((metadata) => ({ ...metadata, ...members }))
          const app = appWith()
          expect([303, 400, 404, 500, 502, 503]).toContain(await attempt(app))
          for (const error of app.errors) {
            expect(['config_invalid', 'unexpected_response', 'provider_unavailable']).toContain(
              (error as { code?: string }).code,
            )
          }
          const elsewhere = app.outgoing.urls.filter(
            (url) => !url.startsWith(world.provider.issuer) && !url.startsWith(world.api.baseUrl),
          )
          for (const url of elsewhere) expect(url).toMatch(/^https:/)
        }),
        { numRuns: 60 },
      )
    },
    patience,
  )
})
