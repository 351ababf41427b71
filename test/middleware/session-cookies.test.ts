import { afterEach, describe, expect, test, vi } from 'vitest'
import { oauth2, spotify } from '../../src/oauth/providers/index.ts'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, navigation, useWorld } from './express-app.ts'
import { beginLogin, cookiesOf } from './flow.ts'

const world = useWorld()
afterEach(() => {
  vi.unstubAllEnvs()
})

describe('plain http', () => {
  test.each(['http://app.example.com', 'http://10.0.0.1:3000', 'http://127.0.0.1.example.com'])(
    'SE-02 is refused for %s',
    (baseUrl) => {
      expect(() => createApp(world, { options: { baseUrl } })).toThrow(/https/)
    },
  )

  test('SE-02 is refused in production, on loopback too', () => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(() => createApp(world)).toThrow(/https/)
  })

  test('SE-02 has cookies of another name, which an https app does not read', async () => {
    const plain = createApp(world).browser()
    await loginAs(plain, { user: 'ada', provider: 'spotify' })
    const cookie = cookiesOf(plain).find((one) => one.startsWith('behalf='))!
    const secure = createApp(world, { options: { baseUrl: 'https://app.example.com' } })
    const host = 'app.example.com'
    await secure.browser().get('/me').set({ host, cookie }).expect(401)
    await secure
      .browser()
      .get('/me')
      .set({ host, cookie: `__Host-${cookie}` })
      .expect(401)
  })
})

describe('a session id', () => {
  test('SE-04 is 128 random bits and a proof of 192, new for each visitor and each login', async () => {
    const { browser } = createApp(world)
    const seen = new Set<string>()
    for (let index = 0; index < 10; index += 1) {
      const visitor = browser()
      for (let login = 0; login < 2; login += 1) {
        await loginAs(visitor, { user: 'ada', provider: 'spotify' })
        const handle = cookiesOf(visitor)
          .find((one) => one.startsWith('behalf='))!
          .slice(7)
        const [id = '', proof = ''] = handle.split('.')
        expect(Buffer.from(id, 'base64url')).toHaveLength(16)
        expect(Buffer.from(proof, 'base64url')).toHaveLength(24)
        seen.add(proof)
      }
    }
    expect(seen.size).toBe(20)
  })
})

describe('a cookie that is not ours', () => {
  test.each(['x', '', '%', '%00', '{"id":1}', 'a.b', `${'a'.repeat(22)}.${'b'.repeat(33)}`])(
    'SE-05 such as %j is nobody, is deleted, and breaks nothing',
    async (value) => {
      const { browser, errors } = createApp(world)
      const reply = await browser().get('/me').set('cookie', `behalf=${value}`)
      expect(reply.status).toBe(401)
      expect(String(reply.headers['set-cookie'])).toMatch(/^behalf=; Max-Age=0/)
      expect(errors).toMatchObject([{ code: 'login_required' }])
    },
  )

  test('SE-06 what is sealed for one purpose opens nothing else', async () => {
    const { browser } = createApp(world)
    const ada = browser()
    const begun = await beginLogin(ada)
    const transaction = cookiesOf(ada).find((one) => one.startsWith('behalf.t.'))!
    const [name = '', sealed = ''] = transaction.split('=')
    const state = begun.searchParams.get('state')!
    const callback = `/auth/spotify/callback?code=x&state=${state}`
    for (const cookie of [`behalf=${sealed}`, `${name.slice(0, -1)}0=${sealed}`]) {
      await browser().get('/me').set('cookie', cookie).expect(401)
      const reply = await browser()
        .get(callback)
        .set({ ...navigation, cookie })
      expect(reply.status).toBe(400)
    }
  })

  test('SE-12 a header of thousands of cookies, and names of prototypes, are read in time', async () => {
    const { browser } = createApp(world)
    const many = Array.from({ length: 1200 }, (_, index) => `c${index}=1`).join('; ')
    for (const cookie of [many, '__proto__=x; constructor=y; toString=z', ';'.repeat(10_000)]) {
      const reply = await browser().get('/me').set('cookie', cookie)
      expect(reply.status).toBe(401)
    }
    expect(({} as { x?: string }).x).toBeUndefined()
  })
})

describe('who may speak to a provider', () => {
  test('LG-04 GHSA-8fpg-xm3f-6cx3 an app whose configuration is broken lets nobody in', async () => {
    const { browser } = createApp(world, {
      options: { secret: () => Promise.reject(new Error('the vault is away')) },
    })
    for (const path of ['/guarded', '/me']) {
      const reply = await browser().get(path).set(navigation)
      expect(reply.status).toBeGreaterThanOrEqual(500)
      expect(reply.text).not.toMatch(/^in$|vault/)
    }
  })

  test('LG-04 a check of the app that throws lets nobody in', async () => {
    const { browser } = createApp(world, {
      options: {
        user: () => {
          throw new Error('the user table is away')
        },
      },
    })
    const reply = await browser().get('/guarded').set(navigation)
    expect(reply.status).toBe(500)
    expect(reply.text).not.toMatch(/^in$/)
  })

  test.each([
    ['http endpoints', { tokenEndpoint: 'http://id.example.com/token' }],
    ['credentials in a URL', { tokenEndpoint: 'https://user:pass@id.example.com/token' }],
  ])('OC-35 %s are refused at construction', (_what, overrides) => {
    const provider = oauth2({ ...world.provider.overrides, ...overrides })
    const options = { providers: { spotify: provider } }
    expect(() => createApp(world, { options })).toThrow(/https|credentials/)
  })

  test('OC-35 in production a provider on loopback is refused', () => {
    vi.stubEnv('NODE_ENV', 'production')
    const options = {
      baseUrl: 'https://app.example.com',
      providers: { spotify: spotify({ ...world.provider.overrides }) },
    }
    expect(() => createApp(world, { options })).toThrow(/https/)
  })
})
