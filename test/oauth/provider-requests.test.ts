import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { oauth2 } from '../../src/oauth/providers/index.ts'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, navigation, useWorld } from '../middleware/express-app.ts'
import { approve, beginLogin } from '../middleware/flow.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.provider.switches.tokenEndpoint = 'works'
})

/** An app whose provider is the test provider with some of its endpoints elsewhere. */
function appWith(overrides: object) {
  const provider = oauth2({
    ...world.provider.overrides,
    apiBaseUrl: world.api.baseUrl,
    ...overrides,
  })
  return createApp(world, { options: { providers: { spotify: provider } } })
}

/** Notes what it is asked, and sends everybody on to somewhere else. */
async function redirecting(
  status: number,
): Promise<{ url: string; asked: string[]; server: Server }> {
  const asked: string[] = []
  const server = createServer((req, res) => {
    asked.push(req.url!)
    res.writeHead(status, { location: '/elsewhere' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, asked, server }
}

const servers: Array<{ close(): unknown }> = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

describe.each([302, 307, 308])('an endpoint that answers %d', (status) => {
  test.each(['tokenEndpoint', 'userInfo', 'revocationEndpoint'])(
    'OC-22 is not followed: %s',
    async (endpoint) => {
      const { url, asked, server } = await redirecting(status)
      servers.push(server)
      const { browser, auth } = appWith({ [endpoint]: `${url}/asked` })
      const ada = browser()
      const back = await approve(await beginLogin(ada), 'ada')
      await ada.get(back).set(navigation)
      await ada
        .post('/auth/logout')
        .set({ origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-origin' })
      await auth.close()
      expect(asked).toEqual(['/asked'])
    },
  )
})

describe('who the user is', () => {
  const replyWith = (body: object) => () => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

  test('OC-27 is the id at the provider: two people with one e-mail address and name are two', async () => {
    const { browser } = appWith({ userInfo: 'me' })
    const subjects: string[] = []
    for (const id of ['u-1', 'u-2']) {
      world.api.switches.reply = replyWith({ id, email: 'shared@example.test', name: 'Ada' })
      const visitor = browser()
      await loginAs(visitor, { user: 'ada', provider: 'spotify' })
      const { body } = await visitor.get('/auth/session')
      subjects.push(body.providers.spotify.profile.subject)
    }
    world.api.switches.reply = undefined
    expect(subjects).toEqual(['u-1', 'u-2'])
  })

  test('OC-27 is not told by an e-mail address or a name alone', async () => {
    const { browser } = appWith({ userInfo: 'me' })
    world.api.switches.reply = replyWith({ email: 'ada@example.test', name: 'Ada' })
    const visitor = browser()
    await loginAs(visitor, { user: 'ada', provider: 'spotify' })
    const { body } = await visitor.get('/auth/session')
    world.api.switches.reply = undefined
    expect(body.providers.spotify.profile.subject).not.toMatch(/ada/i)
  })
})

describe('how the app proves itself', () => {
  test.each(['client_secret_basic', 'client_secret_post', 'none'] as const)(
    'OC-29 is %s, in one way only, and never in a URL',
    async (clientAuthentication) => {
      const seen: Array<{ authorization: string | undefined; parameters: object }> = []
      world.provider.switches.tokenEndpoint = ({ headers, parameters }) => {
        seen.push({ authorization: headers.authorization, parameters })
        return undefined
      }
      const { clientId } = world.provider.overrides
      const clientSecret = 'p+ss:w/rd %&='
      const ada = appWith({ clientAuthentication, clientSecret }).browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' }).catch(() => {})
      expect(seen).toHaveLength(1)
      const { authorization, parameters } = seen[0]!
      const form = new Map(Object.entries(parameters))
      if (clientAuthentication === 'client_secret_basic') {
        // RFC 6749 section 2.3.1: both form-encoded before they are joined.
        const encoded = Buffer.from(authorization!.split(' ')[1]!, 'base64').toString()
        const [id, secret] = encoded
          .split(':')
          .map((part) => new URLSearchParams(`x=${part}`).get('x'))
        expect([id, secret]).toEqual([clientId, clientSecret])
        expect(encoded.split(':')).toHaveLength(2)
      } else {
        expect(authorization).toBeUndefined()
        expect(form.get('client_id')).toBe(clientId)
      }
      const inForm = clientAuthentication === 'client_secret_post' ? clientSecret : undefined
      expect(form.get('client_secret')).toBe(inForm)
    },
  )
})

test('OC-34 an access token is opaque: one that looks like an expired JWT is sent as it is', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const accessToken = `${part({ alg: 'none' })}.${part({ exp: 1, sub: 'mallory' })}.x`
  world.provider.switches.tokenEndpoint = () => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ access_token: accessToken, token_type: 'Bearer', expires_in: 3600 }),
  })
  const sent: Array<string | null> = []
  const watched: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    if (!request.url.startsWith(world.api.baseUrl)) return fetch(input, init)
    sent.push(request.headers.get('authorization'))
    return Response.json({ id: 'ada' })
  }
  const ada = appWith({ userInfo: undefined, fetch: watched }).browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  await ada.get('/me').expect(200)
  expect(sent).toEqual([`Bearer ${accessToken}`])
})

const hasOpenssl = existsSync('/usr/bin/openssl')
if (!hasOpenssl) process.stderr.write('\n  SKIPPED TESTS: openssl is missing.\n\n')

test.skipIf(!hasOpenssl)(
  'HT-05 a server whose certificate nobody vouches for is not spoken to',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'behalf-tls-'))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject]
    execFileSync('/usr/bin/openssl', [...made, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    let asked = 0
    const tls = createTlsServer(
      { key: readFileSync(key), cert: readFileSync(cert) },
      (_req, res) => {
        asked += 1
        res.end('{}')
      },
    )
    rmSync(folder, { recursive: true })
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve))
    servers.push(tls)
    const { port } = tls.address() as AddressInfo
    const ada = appWith({ tokenEndpoint: `https://127.0.0.1:${port}/token` }).browser()
    const back = await approve(await beginLogin(ada), 'ada')
    expect((await ada.get(back).set(navigation)).status).toBe(503)
    expect(asked).toBe(0)
  },
)
