import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import request from 'supertest'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { login } from '../../src/cli/login.ts'
import { token } from '../../src/cli/token.ts'
import { createBehalf } from '../../src/index.ts'
import { createStore } from '../../src/stores/index.ts'
import { submitLoginPage } from '../../src/testing/login/submit-login-page.ts'
import { createWorld, navigation, type World } from '../middleware/express-app.ts'
import { runCli, saidBy, secret, startCli } from './run-cli.ts'

let world: World
let folder: string
const running: Array<ReturnType<typeof startCli>> = []
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())
beforeEach(() => {
  world.provider.reset()
  folder = mkdtempSync(join(tmpdir(), 'behalf-cli-'))
})
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function settings() {
  const { overrides } = world.provider
  const store = `file:${join(folder, 'store')}`
  const args = [
    ['--issuer', overrides.issuer],
    ['--authorization-endpoint', overrides.authorizationEndpoint],
    ['--token-endpoint', overrides.tokenEndpoint],
    ['--api', world.api.baseUrl],
    ['--store', store],
  ].flat()
  const env = {
    SPOTIFY_CLIENT_ID: overrides.clientId,
    SPOTIFY_CLIENT_SECRET: overrides.clientSecret!,
  }
  return { args, env, store }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** What a browser does with the address, as a person would press the buttons. */
async function visit(
  address: string,
  press: { user?: string; cancel?: boolean } = { user: 'ada' },
) {
  const { origin } = new URL(address)
  const browser = request.agent(origin)
  const open = (url: string) => browser.get(url.replace(origin, '')).set(navigation)
  const begun = await open(address)
  const back = await submitLoginPage(begun.headers['location']!, { user: '', ...press })
  const landed = await open(back)
  return landed.status === 303 ? open(landed.headers['location']!) : landed
}

describe('behalf login', () => {
  test('a browser logs in on this machine; the app finds the grant, and token tells of it', async () => {
    const { args, env, store } = settings()
    const port = await freePort()
    const uri = `http://127.0.0.1:${port}/callback`
    const command = startCli(
      ['login', 'spotify', ...args, '--redirect-uri', uri, '--scope', 'user-top-read'],
      env,
    )
    running.push(command)
    const [, address = ''] = await saidBy(command, /Log in at (\S+)/)
    expect(address).toMatch(
      new RegExp(`^http://127\\.0\\.0\\.1:${port}/auth/spotify/login\\?key=[\\w-]{22}$`),
    )
    expect((await visit(address)).text).toContain('close this page')
    expect(await command.ended).toEqual([0, null])
    expect(command.printed.out).toMatch(
      /^Logged in at spotify as Ada Moreau, for user-top-read\.\n$/,
    )

    const auth = createBehalf({
      secret,
      store: createStore(store),
      providers: { spotify: world.spotify },
    })
    const { api } = await auth.forUser('local')
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
    await auth.close()

    const told = await runCli(['token', 'spotify', ...args], env)
    expect(told).toMatchObject({ status: 0, error: '' })
    expect(told.out).toMatch(/^subject +ada \(Ada Moreau\)\nscope +user-top-read\n/)
    world.provider.expireAccessTokens()
    const revealed = await runCli(['token', 'spotify', ...args, '--reveal'], env)
    expect(revealed.out).toMatch(/^\S+\n$/)
    expect(told.out).not.toContain(revealed.out.trim())
    const stored = command.printed.out + command.printed.error
    expect(stored).not.toContain(revealed.out.trim())
  }, 90_000)

  test('opens the browser that BROWSER names, and listens at both addresses of localhost', async () => {
    const { args, env } = settings()
    const note = join(folder, 'address')
    const browser = join(folder, 'browser')
    writeFileSync(browser, `#!/bin/sh\nprintf %s "$1" > '${note}'\n`)
    chmodSync(browser, 0o755)
    const port = await freePort()
    const uri = `http://localhost:${port}/callback`
    const command = startCli(['login', 'github', ...args, '--redirect-uri', uri], {
      ...env,
      BROWSER: browser,
      GITHUB_CLIENT_ID: env.SPOTIFY_CLIENT_ID,
      GITHUB_CLIENT_SECRET: env.SPOTIFY_CLIENT_SECRET,
    })
    running.push(command)
    const [, address = ''] = await saidBy(command, /Log in at (\S+)/)
    expect(address).toContain(`http://localhost:${port}/auth/github/login?key=`)
    await expect
      .poll(() => {
        try {
          return readFileSync(note, 'utf8')
        } catch {
          return ''
        }
      })
      .toBe(address)
    for (const host of ['127.0.0.1', '[::1]']) {
      // Reached, and refused: under another name it is another page's request.
      const reply = await fetch(address.replace('localhost', host))
      expect(reply.status).toBe(404)
    }
  }, 60_000)

  test('who says no ends it; somebody else’s callback does not', async () => {
    const { args, env } = settings()
    const port = await freePort()
    const uri = `http://127.0.0.1:${port}/callback`
    const command = startCli(['login', 'spotify', ...args, '--redirect-uri', uri], env)
    running.push(command)
    const [, address = ''] = await saidBy(command, /Log in at (\S+)/)
    const strange = await fetch(`${uri}?code=x&state=y`, { headers: { accept: 'text/html' } })
    expect(strange.status).toBe(400)
    await visit(address, { cancel: true })
    expect(await command.ended).toEqual([1, null])
    expect(command.printed.error).toContain('the login failed (access_denied)')
  }, 60_000)

  test('nobody else on the machine begins it or learns of it; who was told the address does', async () => {
    const { args, env } = settings()
    const port = await freePort()
    const uri = `http://127.0.0.1:${port}/callback`
    const command = startCli(['login', 'spotify', ...args, '--redirect-uri', uri], env)
    running.push(command)
    const [, address = ''] = await saidBy(command, /Log in at (\S+)/)
    const { origin, search } = new URL(address)
    const other = search.endsWith('A') ? 'B' : 'A'
    for (const path of [
      '/auth/spotify/login',
      '/auth/spotify/login?key=',
      `/auth/spotify/login${search.slice(0, -1)}`,
      `/auth/spotify/login${search.slice(0, -1)}${other}`,
      `/auth/spotify/login${search}x`,
      '/auth/session',
      `/auth/session${search}`,
    ]) {
      const reply = await request(origin).get(path).set(navigation)
      expect(reply.status, path).toBe(404)
      expect(reply.headers['set-cookie']).toBeUndefined()
    }
    await visit(address)
    expect(await command.ended).toEqual([0, null])
    expect(command.printed.out).toContain('as Ada Moreau')
    const told = await runCli(['token', 'spotify', ...args], env)
    expect(told.out).toContain('subject     ada')
  }, 90_000)

  test('LG-02 nothing that the provider says is a command to the terminal', async () => {
    const { args, env } = settings()
    const port = await freePort()
    const uri = `http://127.0.0.1:${port}/callback`
    const name = '\u001b]0;own\u0007A\u009b2Jd\u202ea\n\rsubject x'
    world.api.switches.reply = ({ path }) =>
      path === '/v1/me'
        ? {
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ id: 'ada', display_name: name }),
          }
        : undefined
    const command = startCli(['login', 'spotify', ...args, '--redirect-uri', uri], env)
    running.push(command)
    const [, address = ''] = await saidBy(command, /Log in at (\S+)/)
    await visit(address)
    expect(await command.ended).toEqual([0, null])
    world.api.switches.reply = undefined
    expect(command.printed.out).toMatch(/^Logged in at spotify as \]0;ownA2Jdasubject x, for .*\n$/)
    const told = await runCli(['token', 'spotify', ...args], env)
    expect(told.out).toMatch(/^subject +ada \(\]0;ownA2Jdasubject x\)\nscope /)
  }, 90_000)

  test('LG-02 nor is what it says of a device’s login', async () => {
    const { args, env } = settings()
    const server = createServer((_req, res) => {
      res.setHeader('content-type', 'application/json')
      res.end(
        JSON.stringify({
          device_code: 'x',
          user_code: '\u001b[2JWX\u202eYZ',
          verification_uri: 'https://as.example/device',
          verification_uri_complete: 'https://as.example/device?code=\u001b[2J',
          expires_in: 600,
          interval: 60,
        }),
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const endpoint = `http://127.0.0.1:${port}/device`
    const given = ['--device-authorization-endpoint', endpoint]
    const command = startCli(['login', 'spotify', ...args, '--device', ...given], env)
    running.push(command)
    await saidBy(command, /or open .*\n/)
    server.close()
    expect(command.printed.error).toContain('/device and enter [2JWXYZ\n')
    expect(command.printed.error.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  }, 60_000)

  test('says what is missing, and which port is in use', async () => {
    const { args, env } = settings()
    const store = args.slice(-2)
    const cases: Array<[given: string[], said: string]> = [
      [['spotify'], 'BEHALF_STORE'],
      [['spotify', '--store', 'memory:'], 'outlive'],
      [['nobody', ...store], 'NOBODY_CLIENT_ID'],
      [['nobody', '--client-id', 'x', ...store], '--issuer'],
      [['spotify', ...args, '--redirect-uri', 'https://app.example/'], 'of this machine'],
      [['spotify', ...args, '--device'], 'deviceAuthorizationEndpoint'],
    ]
    const occupied = createServer().listen(0, '127.0.0.1')
    await once(occupied, 'listening')
    const { port } = occupied.address() as AddressInfo
    const taken = `http://127.0.0.1:${port}/callback`
    cases.push([['spotify', ...args, '--redirect-uri', taken], `port ${port} is in use`])
    for (const [name, value] of Object.entries({ ...env, BEHALF_SECRET: secret })) {
      vi.stubEnv(name, value)
    }
    for (const [given, said] of cases) await expect(login(given)).rejects.toThrow(said)
    occupied.close()
    await expect(token(['spotify', ...args])).rejects.toThrow('behalf login spotify')
    vi.unstubAllEnvs()
  })
})
