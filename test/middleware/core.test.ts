import { describe, expect, test } from 'vitest'
import { createBehalf } from '../../src/index.ts'
import { behalf, responseCache } from '../../src/middleware/express.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import express from 'express'
import { baseUrl, browserOf, useWorld, navigation, ownForm, secret } from './express-app.ts'
import { approve } from './flow.ts'
import { loginAs } from '../../src/testing/index.ts'

const world = useWorld()

const core = (options: object = {}) =>
  createBehalf({
    baseUrl,
    secret,
    store: memoryStore(),
    providers: { spotify: world.spotify },
    ...options,
  })

/** A browser for web-standard handlers: it keeps cookies. */
class WebBrowser {
  readonly #cookies = new Map<string, string>()

  request(path: string, init: RequestInit = {}): Request {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return new Request(`${baseUrl}${path}`, {
      ...init,
      headers: { ...navigation, ...init.headers, cookie },
    })
  }

  keep(response: Response | undefined): Response {
    for (const line of response!.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (value === '') this.#cookies.delete(name!)
      else this.#cookies.set(name!, value!)
    }
    return response!
  }
}

describe('the core on Request and Response', () => {
  test('a login, a cached call, and a logout without any framework', async () => {
    const auth = core({ cache: responseCache() })
    const ada = new WebBrowser()
    const begun = ada.keep(await auth.handle(ada.request('/auth/spotify/login?returnTo=/x')))
    const back = await approve(new URL(begun.headers.get('location')!), 'ada')
    const landed = ada.keep(await auth.handle(ada.request(back)))
    expect(landed.status).toBe(303)
    expect(landed.headers.get('location')).toBe('/x')
    const { api, tokens } = await auth.context(ada.request('/'))
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
    const again = await api.spotify.fetch('me')
    expect(again.headers.get('cache-status')).toContain('hit')
    const grant = await tokens.spotify.grant()
    expect(grant?.subject).toBe('ada')
    Object.assign(grant!.profile, { subject: 'eve' })
    expect((await tokens.spotify.grant())?.profile.subject, "a grant is the caller's own").toBe(
      'ada',
    )
    ada.keep(await auth.handle(ada.request('/auth/logout', { method: 'POST', headers: ownForm })))
    const after = await auth.context(ada.request('/'))
    await expect(after.api.spotify.get('me')).rejects.toMatchObject({
      code: 'login_required',
      loginUrl: '/auth/spotify/login',
    })
  })

  test('a failed callback is a plain page that repeats nothing of the request', async () => {
    const reply = await core().handle(
      new Request(
        `${baseUrl}/auth/spotify/callback?error=%3Cscript%3E&error_description=%3Cscript%3E&state=x`,
        { headers: navigation },
      ),
    )
    expect(reply!.status).toBe(400)
    expect(reply!.headers.get('content-security-policy')).toContain("default-src 'none'")
    const page = await reply!.text()
    expect(page).toContain('state_unknown')
    expect(page).not.toContain('script')
  })

  test('a path that is not a route is left to the app', async () => {
    expect(await core().handle(new Request(`${baseUrl}/other`))).toBeUndefined()
  })
})

test('Express takes what createBehalf made, and its user() sees a web-standard request', async () => {
  const app = express()
  app.use(behalf(core({ user: (request: Request) => request.headers.get('x-user') ?? undefined })))
  app.get('/me', async (req, res) => void res.json(await req.api['spotify']!.get('me')))
  const ada = browserOf(app)
  ada.set('x-user', 'ada@app')
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  expect((await ada.get('/me')).body.id).toBe('ada')
})

test('a user() that gives something else than text is an error, never a user', async () => {
  const auth = core({ user: () => 7 })
  const { tokens } = await auth.context(new Request(`${baseUrl}/`))
  await expect(tokens.spotify.grant()).rejects.toMatchObject({ code: 'config_invalid' })
})

describe('a token store that fails', () => {
  test('SE-13 gives a typed 503, never a login, never a lost session', async () => {
    const store = memoryStore()
    let down = false
    const failing = new Proxy(store, {
      get: (target, property) => {
        const member = target[property as keyof typeof target]
        if (typeof member !== 'function') return member
        return (...parts: never[]) =>
          down
            ? Promise.reject(new Error('hush'))
            : (member as (...parts: never[]) => unknown).apply(target, parts)
      },
    })
    const app = express()
    app.use(behalf({ baseUrl, secret, store: failing, providers: { spotify: world.spotify } }))
    const { requireLogin } = await import('../../src/middleware/express.ts')
    app.get('/guarded', requireLogin('spotify'), (_req, res) => void res.send('in'))
    app.use(
      ((
        error: { status: number; code: string; headers: object },
        _req: never,
        res: express.Response,
        _next: never,
      ) => void res.status(error.status).set(error.headers).json({ code: error.code })) as never,
    )
    const ada = browserOf(app)
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.get('/guarded').expect(200)
    down = true
    for (let round = 0; round < 10; round += 1) {
      const reply = await ada.get('/guarded').set(navigation)
      expect(reply.status).toBe(503)
      expect(reply.body.code).toBe('store_unavailable')
      expect(reply.headers['retry-after']).toBe('2')
      expect(reply.headers['set-cookie']).toBeUndefined()
    }
    down = false
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    await ada.get('/guarded').expect(200)
  })
})

test('SE-07 keys rotate by append, roll, move to front; an unknown key is a 503, not a logout', async () => {
  const store = memoryStore()
  const [old, fresh] = [`old-${secret}`, `new-${secret}`]
  const appWith = (...ring: string[]) => core({ store, secret: ring })
  const ada = new WebBrowser()
  const first = appWith(old)
  const begun = ada.keep(await first.handle(ada.request('/auth/spotify/login')))
  ada.keep(
    await first.handle(ada.request(await approve(new URL(begun.headers.get('location')!), 'ada'))),
  )
  const grantAt = async (auth: typeof first) =>
    (await auth.context(ada.request('/'))).tokens.spotify.grant()
  for (const ring of [[old], [old, fresh], [fresh, old]]) {
    expect(await grantAt(appWith(...ring)), ring.join()).toMatchObject({ subject: 'ada' })
  }
  await expect(grantAt(appWith(fresh))).rejects.toMatchObject({
    code: 'store_unavailable',
    status: 503,
  })
  expect(await grantAt(appWith(fresh, old))).toMatchObject({ subject: 'ada' })
})
