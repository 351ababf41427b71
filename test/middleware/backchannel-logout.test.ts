import { createHmac, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { oidc, type OidcOptions } from '../../src/oauth/providers/index.ts'
import { loginAs } from '../../src/testing/index.ts'
import type { Store } from '../../src/stores/store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sealedCookie } from '../../src/sessions/index.ts'
import { createApp, expressVersions, useWorld } from './express-app.ts'

type Claims = Record<string, unknown>
type Sign = (claims: Claims, header?: Claims) => string

const world = useWorld()
let sign: Sign
beforeEach(() => world.provider.reset())
afterEach(() => vi.useRealTimers())

const event = 'http://schemas.openid.net/event/backchannel-logout'
const path = '/auth/spotify/backchannel-logout'

function appWith(
  settings: Parameters<typeof createApp>[1] = {},
  options: Partial<OidcOptions> = {},
) {
  const { issuer, clientId, clientSecret } = world.provider.overrides
  const apiBaseUrl = world.api.baseUrl
  const provider = oidc({ issuer, clientId, clientSecret, apiBaseUrl, ...options })
  const providers = { spotify: provider }
  return createApp(world, { ...settings, options: { ...settings.options, providers } })
}

/** Logs in; the ID token has this session of the provider. */
async function loggedIn(app: ReturnType<typeof appWith>, sid: string, user = 'ada') {
  world.provider.switches.idToken = (claims, signer) => {
    sign = signer
    return signer({ ...claims, sid })
  }
  const browser = app.browser()
  await loginAs(browser, { user, provider: 'spotify' })
  return browser
}

function claimsWith(changes: Claims = {}): Claims {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: world.provider.issuer,
    aud: world.provider.overrides.clientId,
    iat: now,
    exp: now + 120,
    jti: randomUUID(),
    events: { [event]: {} },
    sub: 'ada',
    sid: 'one',
    ...changes,
  }
}

function send(app: ReturnType<typeof appWith>, token: string) {
  return app.browser().post(path).type('form').send({ logout_token: token })
}

describe.each(Object.entries(expressVersions))('back-channel logout on %s', (_name, express) => {
  test('ends the session it names, for whoever else has none', async () => {
    const app = appWith({ express })
    const ada = await loggedIn(app, 'one')
    const adaElsewhere = await loggedIn(app, 'two')
    const reply = await send(app, sign(claimsWith({ sub: undefined }), { typ: 'logout+jwt' }))
    expect(reply.status).toBe(200)
    expect(reply.headers['cache-control']).toContain('no-store')
    await ada.get('/me').expect(401)
    await adaElsewhere.get('/me').expect(200)
  })

  test('with a subject and no session all of that subject', async () => {
    const app = appWith({ express })
    const browsers = [await loggedIn(app, 'one'), await loggedIn(app, 'two')]
    const eve = await loggedIn(app, 'three', 'grace')
    await send(app, sign(claimsWith({ sid: undefined }))).expect(200)
    for (const one of browsers) await one.get('/me').expect(401)
    await eve.get('/me').expect(200)
  })
})

describe('a logout token', () => {
  const now = () => Math.floor(Date.now() / 1000)
  const wrong: Record<string, () => string> = {
    'of another issuer': () => sign(claimsWith({ iss: 'https://evil.example' })),
    'without issuer': () => sign(claimsWith({ iss: undefined })),
    'for another app': () => sign(claimsWith({ aud: 'another-app' })),
    'for nobody': () => sign(claimsWith({ aud: undefined })),
    'of an hour ago': () => sign(claimsWith({ iat: now() - 3600, exp: now() + 60 })),
    'of tomorrow': () => sign(claimsWith({ iat: now() + 86_400, exp: now() + 86_500 })),
    'that has expired': () => sign(claimsWith({ exp: now() - 120 })),
    'without iat': () => sign(claimsWith({ iat: undefined })),
    'without jti': () => sign(claimsWith({ jti: undefined })),
    'whose jti is a number': () => sign(claimsWith({ jti: 7 })),
    'with a nonce': () => sign(claimsWith({ nonce: 'n' })),
    'without events': () => sign(claimsWith({ events: undefined })),
    'about another event': () => sign(claimsWith({ events: { 'https://x.example': {} } })),
    'whose event is text': () => sign(claimsWith({ events: { [event]: 'yes' } })),
    'about nobody': () => sign(claimsWith({ sub: undefined, sid: undefined })),
    'whose sid is an object': () => sign(claimsWith({ sid: { $ne: '' } })),
    'that is an access token': () => sign(claimsWith(), { typ: 'at+jwt' }),
    'that is not signed': () => unsigned(claimsWith()),
    'that is signed with the client secret': () => signedWithSecret(claimsWith()),
    'of another key': () => tampered(sign(claimsWith())),
    'of a key that nobody knows': () => sign(claimsWith(), { kid: 'another' }),
    'that is very long': () => sign(claimsWith({ more: 'x'.repeat(20_000) })),
    'that is none': () => 'hello',
    'that is empty': () => '',
  }

  test.each(Object.entries(wrong))('%s is refused and ends nothing', async (_what, make) => {
    const app = appWith()
    const ada = await loggedIn(app, 'one')
    const reply = await send(app, make())
    expect(reply.status).toBe(400)
    expect(reply.body.error).toBe('invalid_request')
    await ada.get('/me').expect(200)
  })

  test('whatever it is, is refused and never an error of the app', async () => {
    const app = appWith()
    const ada = await loggedIn(app, 'one')
    const [header = '', body = '', signature = ''] = sign(claimsWith()).split('.')
    const part = (own: string) =>
      fc.oneof(fc.constant(own), fc.string(), fc.base64String(), fc.json().map(inBase64Url))
    const token = fc
      .tuple(part(header), part(body), part(signature))
      .map((parts) => parts.join('.'))
      .filter((one) => one !== [header, body, signature].join('.'))
    await fc.assert(
      fc.asyncProperty(token, async (one) => {
        expect((await send(app, one)).status).toBe(400)
      }),
      { numRuns: 150 },
    )
    expect(app.errors).toEqual([])
    await ada.get('/me').expect(200)
  }, 60_000)

  test('that is there twice, or not at all, is refused', async () => {
    const app = appWith()
    const ada = await loggedIn(app, 'one')
    const token = sign(claimsWith())
    const twice = await app
      .browser()
      .post(path)
      .type('form')
      .send(`logout_token=${token}&logout_token=${token}`)
    expect(twice.status).toBe(400)
    await app.browser().post(path).expect(400)
    await app.browser().get(path).expect(405)
    await ada.get('/me').expect(200)
  })

  test('that names a session of another subject ends nothing', async () => {
    const app = appWith()
    const ada = await loggedIn(app, 'one')
    await send(app, sign(claimsWith({ sub: 'grace' }))).expect(200)
    await ada.get('/me').expect(200)
  })

  test('without a session leaves what users of the app have connected', async () => {
    const store = memoryStore()
    const connecting = appWith({ options: { store, user: () => 'user-1' } })
    await loggedIn(connecting, 'one')
    const app = appWith({ options: { store } })
    const ada = await loggedIn(app, 'two')
    await send(app, sign(claimsWith({ sid: undefined }))).expect(200)
    await ada.get('/me').expect(401)
    expect(await (await connecting.auth.forUser('user-1')).tokens.spotify.grant()).toBeDefined()
  })

  test('that comes again is refused: who has logged in since stays', async () => {
    const app = appWith()
    const ada = await loggedIn(app, 'one')
    const token = sign(claimsWith({ sid: undefined }))
    const replies = await Promise.all([send(app, token), send(app, token), send(app, token)])
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(replies.filter(({ status }) => status === 400)).toHaveLength(2)
    await ada.get('/me').expect(401)
    const back = await loggedIn(app, 'one')
    await send(app, token).expect(400)
    await back.get('/me').expect(200)
  })

  test('that a store in trouble could not act on may come again', async () => {
    const inner = memoryStore()
    let fails = false
    const store: Store = new Proxy(inner, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (fails && name === 'compareAndDelete') throw new Error('away')
          return Reflect.apply(value as () => unknown, target, args)
        }
      },
    })
    const app = appWith({ options: { store } })
    const ada = await loggedIn(app, 'one')
    const token = sign(claimsWith())
    fails = true
    await send(app, token).expect(503)
    await ada.get('/me').expect(200)
    fails = false
    await send(app, token).expect(200)
    await ada.get('/me').expect(401)
  })

  test('that a store could act on for some sessions only may come again for the others', async () => {
    const keys: string[] = []
    const away = new Set<string>()
    const inner = memoryStore()
    const { get, compareAndSwap } = inner
    const store: Store = Object.assign(inner, {
      get: async (key: string) => {
        if (away.has(key)) throw new Error('away')
        return get.call(inner, key)
      },
      compareAndSwap: async (...parts: Parameters<typeof compareAndSwap>) => {
        if (/:grant:[0-9a-f]{64}$/.test(parts[0])) keys.push(parts[0])
        return compareAndSwap.apply(inner, parts)
      },
    })
    const app = appWith({ options: { store } })
    const browsers = [await loggedIn(app, 'one'), await loggedIn(app, 'two')]
    away.add(keys[0]!)
    const token = sign(claimsWith({ sid: undefined }))
    await send(app, token).expect(503)
    await browsers[1]!.get('/me').expect(401)
    away.clear()
    await browsers[0]!.get('/me').expect(200)
    await send(app, token).expect(200)
    await browsers[0]!.get('/me').expect(401)
  })

  test('is remembered for as long as it can be taken, however far ahead the provider’s clock is', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const app = appWith()
    await loggedIn(app, 'one')
    const token = sign(claimsWith({ sid: undefined, iat: now() + 55, exp: now() + 900 }))
    await send(app, token).expect(200)
    vi.advanceTimersByTime(690_000)
    const back = await loggedIn(app, 'one')
    await send(app, token).expect(400)
    await back.get('/me').expect(200)
  })

  test('names its subject as ID tokens do, however the app names its users', async () => {
    const profile = (user: Claims) => ({ subject: `account ${String(user['sub'])}` })
    const app = appWith({}, { profile })
    for (const changes of [{}, { sid: undefined }]) {
      const ada = await loggedIn(app, 'one')
      await send(app, sign(claimsWith({ ...changes, sub: 'grace' }))).expect(200)
      await ada.get('/me').expect(200)
      await send(app, sign(claimsWith(changes))).expect(200)
      await ada.get('/me').expect(401)
    }
  })

  test('where the browser has the tokens is told that it ends nothing', async () => {
    const app = appWith({ options: { tokenStore: sealedCookie() } })
    const ada = await loggedIn(app, 'one')
    const reply = await send(app, sign(claimsWith()))
    expect(reply.status).toBe(501)
    expect(reply.body.error).toBe('unsupported')
    await ada.get('/me').expect(200)
  })

  test.each([
    ['an error', 500, '<html>maintenance'],
    ['nothing', 404, '{}'],
    ['a page', 200, '<html>maintenance'],
    ['no keys', 200, '{"keys":"none"}'],
    ['keys that are none', 200, '{"keys":[7]}'],
  ])('is 503 while the provider answers for its keys with %s, and asks once', async (...answer) => {
    const [, status, body] = answer
    const store = memoryStore()
    const ada = await loggedIn(appWith({ options: { store } }), 'one')
    let asked = 0
    const down: typeof fetch = async (input, init) => {
      if (!String(input).endsWith('/jwks')) return fetch(input, init)
      asked += 1
      return new Response(body, { status })
    }
    const app = appWith({ options: { store } }, { fetch: down })
    for (const kid of ['x', 'y', 'z', undefined]) {
      const header = kid === undefined ? {} : { kid }
      await send(app, sign(claimsWith(), header)).expect(503)
    }
    expect(asked).toBe(1)
    await ada.get('/me').expect(200)
  })

  test('of a provider whose keys come without https is refused before they are asked for', async () => {
    const asked: string[] = []
    const issuer = 'https://as.example'
    const discovered: typeof fetch = async (input) => {
      asked.push(new URL(String(input)).pathname)
      return Response.json({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: 'http://as.example/jwks',
      })
    }
    const app = appWith()
    const ada = await loggedIn(app, 'one')
    const secure = appWith({ options: { store: app.store } }, { issuer, fetch: discovered })
    await send(secure, sign(claimsWith({ iss: issuer }))).expect(400)
    expect(asked).not.toContain('/jwks')
    await ada.get('/me').expect(200)
  })

  test('is looked at where timeouts are no whole milliseconds', async () => {
    const app = appWith({ options: { timeouts: { token: 2.0005 } } })
    const ada = await loggedIn(app, 'one')
    await send(app, sign(claimsWith())).expect(200)
    await ada.get('/me').expect(401)
  })

  test('is not looked at while the keys cannot be had: 503, and it may come again', async () => {
    const app = appWith()
    const ada = await loggedIn(app, 'one')
    const token = sign(claimsWith())
    const fresh = createApp(world, {
      options: {
        providers: {
          spotify: oidc({
            ...world.provider.overrides,
            apiBaseUrl: world.api.baseUrl,
            fetch: async (input, init) => {
              if (String(input).endsWith('/jwks')) throw new TypeError('fetch failed')
              return fetch(input, init)
            },
          }),
        },
        store: app.store,
      },
    })
    await send(fresh as never, token).expect(503)
    await send(app, token).expect(200)
    await ada.get('/me').expect(401)
  })
})

describe('more sessions of one subject than are remembered', () => {
  const hundred = Array.from({ length: 100 }, (_none, index) => `session ${index}`)

  test('where logouts begin at the provider, the oldest ends: none would find it', async () => {
    const app = appWith()
    const oldest = await loggedIn(app, 'oldest')
    const [second = '', ...others] = hundred
    const next = await loggedIn(app, second)
    for (const sid of others) await loggedIn(app, sid)
    await next.get('/me').expect(200)
    await oldest.get('/me').expect(401)
    await send(app, sign(claimsWith({ sid: undefined }))).expect(200)
    await next.get('/me').expect(401)
  }, 60_000)

  test('where they do not, it stays', async () => {
    const app = createApp(world)
    const oldest = app.browser()
    await loginAs(oldest, { user: 'ada', provider: 'spotify' })
    for (const _sid of hundred) await loginAs(app.browser(), { user: 'ada', provider: 'spotify' })
    await oldest.get('/me').expect(200)
  }, 60_000)
})

function inBase64Url(text: string): string {
  return Buffer.from(text).toString('base64url')
}

function encoded(...parts: object[]): string {
  return parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
}

function unsigned(claims: Claims): string {
  return `${encoded({ alg: 'none', typ: 'logout+jwt' }, claims)}.`
}

function signedWithSecret(claims: Claims): string {
  const input = encoded({ alg: 'HS256', typ: 'logout+jwt' }, claims)
  const key = world.provider.overrides.clientSecret!
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

function tampered(token: string): string {
  const [header, body, signature = ''] = token.split('.')
  return [header, body, (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)].join('.')
}
