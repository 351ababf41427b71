import { describe, expect, test } from 'vitest'
import { requireLogin } from '../../src/middleware/express.ts'
import { loginAs } from '../../src/testing/index.ts'
import { baseUrl, createApp, useWorld, expressVersions, navigation } from './express-app.ts'
import { approve } from './flow.ts'

const world = useWorld({ optionalScope: ['playlist-read-private'] })

describe.each(Object.entries(expressVersions))('requireLogin on %s', (_name, express) => {
  test('sends a navigation to the login, and the login leads back', async () => {
    const { browser } = createApp(world, { express })
    const ada = browser()
    const sent = await ada.get('/guarded?page=2').set(navigation)
    expect(sent.status).toBe(303)
    expect(sent.headers['location']).toBe('/auth/spotify/login?returnTo=%2Fguarded%3Fpage%3D2')
    const begun = await ada.get(sent.headers['location']!).set(navigation)
    const landed = await ada.get(await approve(new URL(begun.headers['location']!), 'ada'))
    expect(landed.headers['location']).toBe('/guarded?page=2')
    await ada.get('/guarded?page=2').set(navigation).expect(200)
  })

  test('answers anything else with 401, a code and a loginUrl', async () => {
    const { browser } = createApp(world, { express })
    for (const headers of [
      {},
      { 'sec-fetch-mode': 'cors', accept: 'text/html' },
      { rsc: '1', accept: 'text/html' },
    ]) {
      const reply = await browser()
        .get('/guarded')
        .set(headers as Record<string, string>)
      expect(reply.status).toBe(401)
      expect(reply.body).toMatchObject({ code: 'login_required' })
      expect(reply.body.loginUrl).toMatch(/^\/auth\/spotify\/login/)
      expect(reply.headers['cache-control']).toBe('private, no-store')
    }
  })

  test('a login URL for a script leads back to its page, and to no other site', async () => {
    const { browser } = createApp(world, { express })
    const loginUrl = async (referer: string) =>
      (await browser().get('/guarded').set({ 'sec-fetch-mode': 'cors', referer })).body.loginUrl
    expect(await loginUrl(`${baseUrl}/page?n=1`)).toBe(
      '/auth/spotify/login?returnTo=%2Fpage%3Fn%3D1',
    )
    for (const elsewhere of ['https://evil.example/page', `${baseUrl}//evil.example`, 'x', '']) {
      expect(await loginUrl(elsewhere)).toBe('/auth/spotify/login')
    }
  })

  test('OC-11 does not loop when the session is not kept: the second time it says why', async () => {
    const { browser, errors } = createApp(world, { express })
    const ada = browser()
    const landed = await loginAs(ada, { user: 'ada', provider: 'spotify', returnTo: '/guarded' })
    const done = (landed.headers['set-cookie'] as unknown as string[]).find((one) =>
      one.startsWith('behalf.last='),
    )!
    // A browser that keeps this cookie and not the session's.
    const reply = await browser()
      .get('/guarded')
      .set({ ...navigation, cookie: done.split(';')[0]! })
    expect(reply.status).toBe(500)
    expect(reply.body.code).toBe('session_not_kept')
    expect(String(errors[0])).toMatch(/trust proxy/)
  })

  test('asks for a further scope, keeps what was granted, and comes back', async () => {
    const { browser } = createApp(world, {
      express,
      routes: (app) =>
        app.get(
          '/playlists',
          requireLogin('spotify', { scope: 'playlist-read-private' }),
          async (req, res) => {
            const grant = await req.tokens['spotify']!.grant()
            res.json(grant?.scope)
          },
        ),
    })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const refused = await ada.get('/playlists').set('referer', `${baseUrl}/page?n=1`)
    expect(refused.status).toBe(403)
    expect(refused.body.code).toBe('insufficient_scope')
    const begun = await ada.get(refused.body.loginUrl).set(navigation)
    const asked = new URL(begun.headers['location']!).searchParams.get('scope')
    expect(asked).toBe(
      'user-read-email user-top-read user-library-read user-library-modify playlist-read-private',
    )
    const landed = await ada.get(await approve(new URL(begun.headers['location']!), 'ada'))
    expect(landed.headers['location']).toBe('/page?n=1')
    expect((await ada.get('/playlists').expect(200)).body).toContain('playlist-read-private')
  })

  test('refuses a scope that is not configured, and a provider that is not there', async () => {
    const { browser, errors } = createApp(world, {
      express,
      routes: (app) => {
        app.get('/a', requireLogin('spotify', { scope: 'streaming' }))
        app.get('/b', requireLogin('nobody' as 'spotify'))
      },
    })
    await browser().get('/a').expect(500)
    await browser().get('/b').expect(500)
    expect(errors.map(String)).toEqual([
      expect.stringMatching(/streaming.*optionalScope/),
      expect.stringMatching(/nobody/),
    ])
  })

  test('a login URL cannot be given scopes by anybody but the app', async () => {
    const { browser } = createApp(world, { express })
    const forged = Buffer.from(JSON.stringify({ scope: ['streaming'] })).toString('base64url')
    const reply = await browser().get(`/auth/spotify/login?request=${forged}`).set(navigation)
    expect(new URL(reply.headers['location']!).searchParams.get('scope')).not.toContain('streaming')
  })
})
