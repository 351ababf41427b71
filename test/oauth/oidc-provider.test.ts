import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { expressVersions, navigation, ownForm } from '../middleware/express-app.ts'
import { beginLogin, cookiesOf } from '../middleware/flow.ts'
import { type RunningOidcProvider, startOidcProvider } from '../support/oidc-provider.ts'
import { OidcBrowser } from '../support/oidc-provider-pages.ts'
import { appAt, callbackUrl, comeBack, logIn, outliveAccessTokens } from './oidc-provider-app.ts'

let server: RunningOidcProvider
beforeAll(async () => {
  server = await startOidcProvider(callbackUrl)
})
afterAll(() => server.close())
beforeEach(() => {
  server.tokenRequests.length = 0
  server.issued.length = 0
})
afterEach(() => {
  vi.useRealTimers()
})

describe.each(Object.entries(expressVersions))('oidc-provider behind %s', (_name, express) => {
  test('OC-01 OC-12 OC-25 a whole login with PKCE, nonce, iss and the profile of its user', async () => {
    const { browser } = appAt(server, {}, { express })
    const ada = browser()
    const { authorization, callback, shown, landed } = await logIn(ada)
    expect(authorization.searchParams.get('code_challenge_method')).toBe('S256')
    expect(authorization.searchParams.get('nonce')).toMatch(/^[\w-]{43,}$/)
    expect(callback.searchParams.get('iss')).toBe(server.issuer)
    expect(shown).toEqual(['login', 'consent'])
    expect(landed.status).toBe(303)
    expect(landed.headers['location']).toBe('/me')
    expect((await ada.get('/me').expect(200)).body.sub).toBe('ada')
    const { body, text } = await ada.get('/auth/session')
    expect(body.providers.spotify.profile).toEqual({
      subject: 'ada',
      name: 'The user ada',
      email: 'ada@example.test',
    })
    expect(text).not.toContain(server.issued[0]!.accessToken)
    expect(server.tokenRequests).toEqual(['authorization_code'])
  })

  test('whoever is logged in at the server already is only asked for consent', async () => {
    const { browser } = appAt(server, {}, { express })
    const at = new OidcBrowser()
    await logIn(browser(), { at })
    const ada = browser()
    const { shown, landed } = await logIn(ada, { at })
    expect(shown).toEqual(['consent'])
    expect(landed.status).toBe(303)
    await ada.get('/me').expect(200)
  })

  test('access_denied tells the app, and leaves the browser anonymous', async () => {
    const { browser } = appAt(server, {}, { express })
    const ada = browser()
    const { landed } = await comeBack(ada, { cancel: true })
    expect(landed.status).toBe(403)
    expect(landed.text).toContain('access_denied')
    await ada.get('/me').expect(401)
    expect(server.tokenRequests).toEqual([])
  })

  test('OC-14 CVE-2026-22751 GHSA-392p-2q2v-4372 GHSA-7w99-5wm4-3g79 GHSA-pw9m-5jxm-xr6h a callback that is sent twenty times at once asks for tokens once', async () => {
    const { browser } = appAt(server, {}, { express })
    const ada = browser()
    const authorization = await beginLogin(ada)
    const { callback } = await new OidcBrowser().visit(authorization.href, { user: 'ada' })
    const path = `${callback.pathname}${callback.search}`
    const cookie = cookiesOf(ada).join('; ')
    const replies = await Promise.all(
      Array.from({ length: 20 }, () =>
        browser()
          .get(path)
          .set({ ...navigation, cookie }),
      ),
    )
    expect(replies.filter(({ status }) => status === 303)).toHaveLength(1)
    expect(server.tokenRequests).toEqual(['authorization_code'])
    // A code that was used twice would have cost the tokens (RFC 6749 section 4.1.2).
    expect(await server.isActive(server.issued[0]!.accessToken)).toBe(true)
  })

  test('TK-03 fifty requests at expiry ask for new tokens once, and none of them fails', async () => {
    const { browser } = appAt(server, {}, { express })
    const ada = browser()
    await logIn(ada)
    const cookie = cookiesOf(ada).join('; ')
    for (const round of [1, 2, 3]) {
      outliveAccessTokens()
      const replies = await Promise.all(
        Array.from({ length: 50 }, () => browser().get('/me').set('cookie', cookie)),
      )
      expect(replies.map(({ status }) => status)).toEqual(Array(50).fill(200))
      expect(server.tokenRequests).toEqual([
        'authorization_code',
        ...Array.from({ length: round }, () => 'refresh_token'),
      ])
    }
    const [first, second] = server.issued.map(({ refreshToken }) => refreshToken)
    expect(first).toBeDefined()
    expect(second).not.toBe(first)
  })

  test('TK-06 a refresh token that a thief has used ends the grant: the user logs in again', async () => {
    const { browser } = appAt(server, {}, { express })
    const ada = browser()
    await logIn(ada)
    const stolen = server.issued[0]!.refreshToken!
    expect(await server.presentRefreshToken(stolen)).toBe(200)
    outliveAccessTokens()
    const refused = await ada.get('/me')
    expect(refused.status).toBe(401)
    expect(refused.body.code).toBe('reauth_required')
    await logIn(ada)
    await ada.get('/me').expect(200)
  })

  test.each([
    ['a logout', '/auth/logout'],
    ['disconnecting', '/auth/spotify/disconnect'],
  ])('LO-04 %s ends the tokens at the server too', async (_what, path) => {
    const { browser, auth } = appAt(server, {}, { express })
    const ada = browser()
    await logIn(ada)
    const cookie = cookiesOf(ada).join('; ')
    outliveAccessTokens()
    await ada.get('/me').expect(200)
    const { accessToken, refreshToken = '' } = server.issued.at(-1)!
    expect(await server.isActive(accessToken)).toBe(true)
    expect(await server.isActive(refreshToken)).toBe(true)
    await ada.post(path).set(ownForm).expect(303)
    await auth.close()
    expect(await server.isActive(refreshToken)).toBe(false)
    expect(await server.isActive(accessToken)).toBe(false)
    await browser().get('/me').set('cookie', cookie).expect(401)
  })

  test.each([
    ['whose signature was changed', (own: string) => withAnotherSignature(own)],
    ['of another login', (_own: string, first: string) => first],
  ])('OC-25 with an ID token %s nobody is logged in', async (_what, change) => {
    const { browser } = appAt(server, { fetch: changingIdTokens(change) }, { express })
    await logIn(browser())
    const ada = browser()
    const { landed } = await comeBack(ada)
    expect(landed.text).toContain('unexpected_response')
    await ada.get('/me').expect(401)
  })
})

/** Changes the ID token of every login but the first. */
function changingIdTokens(change: (own: string, first: string) => string): typeof fetch {
  let first: string | undefined
  return async (input, init) => {
    const reply = await fetch(input, init)
    if (!String(input).endsWith('/token')) return reply
    const body = (await reply.json()) as { id_token: string }
    const idToken = first === undefined ? body.id_token : change(body.id_token, first)
    first ??= body.id_token
    return Response.json({ ...body, id_token: idToken })
  }
}

function withAnotherSignature(idToken: string): string {
  const at = idToken.lastIndexOf('.') + 10
  const other = idToken[at] === 'A' ? 'B' : 'A'
  return `${idToken.slice(0, at)}${other}${idToken.slice(at + 1)}`
}
