import { beforeEach, describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { type Browser, createApp, navigation, ownForm, useWorld } from './express-app.ts'
import { approve, beginLogin, cookiesOf } from './flow.ts'

const world = useWorld()
beforeEach(() => world.provider.reset())

/** A browser with a login under way, and the callback that the provider would send it to. */
async function loginUnderWay(): Promise<{ ada: Browser; stranger: Browser; back: string }> {
  const { browser } = createApp(world)
  const ada = browser()
  return { ada, stranger: browser(), back: await approve(await beginLogin(ada), 'ada') }
}

async function expectRefused(browser: Browser, path: string): Promise<string> {
  const reply = await browser.get(path).set(navigation)
  expect(reply.status).toBe(400)
  expect(world.provider.seen.codeRequests).toBe(0)
  return reply.text
}

describe('the state of a login', () => {
  test('OC-03 CVE-2023-31999 is 256 random bits, different each time, in a cookie that no script reads', async () => {
    const { browser } = createApp(world)
    const states = new Set<string>()
    for (let index = 0; index < 50; index += 1) {
      const reply = await browser().get('/auth/spotify/login').set(navigation)
      const state = new URL(reply.headers['location']!).searchParams.get('state')!
      expect(Buffer.from(state, 'base64url').length).toBeGreaterThanOrEqual(32)
      states.add(state)
      const cookies = reply.headers['set-cookie'] as unknown as string[]
      expect(cookies.every((cookie) => /; HttpOnly/i.test(cookie))).toBe(true)
      expect(cookies.join()).not.toContain(state)
    }
    expect(states.size).toBe(50)
  })

  test('OC-03 that differs in one letter is another one', async () => {
    const { ada, back } = await loginUnderWay()
    const url = new URL(back, 'http://x')
    const state = url.searchParams.get('state')!
    url.searchParams.set('state', `${state.startsWith('A') ? 'B' : 'A'}${state.slice(1)}`)
    expect(await expectRefused(ada, `${url.pathname}${url.search}`)).toContain('state_unknown')
    await ada.get(back).set(navigation).expect(303)
  })

  test('OC-15 CVE-2025-68158 CVE-2026-41425 CVE-2025-68481 CVE-2025-14546 is worth nothing in another browser, and the own one still finishes', async () => {
    const { ada, stranger, back } = await loginUnderWay()
    await beginLogin(stranger)
    expect(await expectRefused(stranger, back)).toContain('state_unknown')
    await ada.get(back).set(navigation).expect(303)
  })
})

describe('the parameters of a callback', () => {
  test.each(['access_token=x&token_type=bearer', 'id_token=a.b.c', 'token=x'])(
    'OC-07 OC-17 with %s are refused: only the code flow is used',
    async (tokens) => {
      const { ada, back } = await loginUnderWay()
      await expectRefused(ada, `${back}&${tokens}`)
      await ada.get(back).set(navigation).expect(303)
    },
  )

  test.each(['code', 'state', 'iss', 'error'])(
    'OC-17 are refused when %s stands twice',
    async (name) => {
      const { ada, back } = await loginUnderWay()
      await expectRefused(ada, `${back}&${name}=one&${name}=two`)
      await ada.get(back).set(navigation).expect(303)
    },
  )

  test.each(['code[]', 'code[0]', 'state[a]', '__proto__[code]'])(
    'OC-17 are never read as a list or an object, such as %s',
    async (name) => {
      const { ada, back } = await loginUnderWay()
      const shaped = back.replace(/(code|state)=/, `${encodeURIComponent(name)}=`)
      await expectRefused(ada, shaped)
      expect((await ada.get(back).set(navigation)).status).toBe(303)
    },
  )

  test('OC-18 that nobody knows are passed over', async () => {
    const { ada, back } = await loginUnderWay()
    const reply = await ada.get(`${back}&session_state=x&authuser=0&prompt=none`).set(navigation)
    expect(reply.status).toBe(303)
    expect(reply.headers['location']).toBe('/')
  })

  test('OC-19 CVE-2021-32702 GHSA-r77h-rpp9-w2xm that tell an error are never shown, followed or believed without their state', async () => {
    const { ada, back } = await loginUnderWay()
    const cookies = cookiesOf(ada)
    const evil = new URLSearchParams({
      error: '<script>alert(1)</script>',
      error_description: '<img src=x onerror=alert(1)>\u0007',
      error_uri: 'https://evil.example/help',
    })
    const without = await expectRefused(ada, `/auth/spotify/callback?${evil.toString()}&state=x`)
    expect(cookiesOf(ada)).toEqual(expect.arrayContaining(cookies))
    evil.set('state', new URL(back, 'http://x').searchParams.get('state')!)
    const failed = await ada.get(`/auth/spotify/callback?${evil.toString()}`).set(navigation)
    for (const text of [without, failed.text, JSON.stringify(failed.headers)]) {
      expect(text).not.toMatch(/alert|onerror|evil\.example/)
    }
    expect(failed.status).toBeGreaterThanOrEqual(400)
  })
})

test('OC-21 CVE-2024-43796 login, callback, disconnect and logout lead on with 303, which sends no body again', async () => {
  const { ada, back } = await loginUnderWay()
  const statuses = [
    (await ada.get('/auth/spotify/login').set(navigation)).status,
    (await ada.get(back).set(navigation)).status,
    (await ada.post('/auth/spotify/disconnect').set(ownForm)).status,
    (await ada.post('/auth/logout').set(ownForm)).status,
  ]
  expect(statuses).toEqual([303, 303, 303, 303])
})

test.each(['//evil.example/x', 'https://evil.example/', '/\\evil.example', '/auth/logout'])(
  'LO-05 a logout does not lead to %s',
  async (returnTo) => {
    const { browser } = createApp(world)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const reply = await ada.post('/auth/logout').set(ownForm).type('form').send({ returnTo })
    expect(reply.status).toBe(303)
    expect(reply.headers['location']).toBe('/')
  },
)

test('LO-05 a logout leads to a page of the app', async () => {
  const { browser } = createApp(world)
  const reply = await browser()
    .post('/auth/logout')
    .set(ownForm)
    .type('form')
    .send({ returnTo: '/bye?x=1' })
  expect(reply.headers['location']).toBe('/bye?x=1')
})
