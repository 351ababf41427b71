import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createApp, createWorld, type World } from '../middleware/express-app.ts'
import { examination } from '../../src/cli/doctor.ts'
import { runCli, secret } from './run-cli.ts'

let world: World
let folder: string
const servers: Server[] = []
beforeAll(async () => {
  world = await createWorld()
  folder = mkdtempSync(join(tmpdir(), 'behalf-doctor-'))
})
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await world.close()
})

/** What it would print, in this process. */
async function examined(args: string[], env: Record<string, string> = {}): Promise<string> {
  vi.stubEnv('BEHALF_SECRET', secret)
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  const lines: string[] = []
  for await (const { level, about, text } of examination(args)) {
    lines.push(`${level} ${about} ${text}`)
  }
  vi.unstubAllEnvs()
  return lines.join('\n')
}

async function listen(handler?: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handler as never)
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An app that runs, as its users reach it. */
async function runningApp(options: object = {}): Promise<string> {
  let answer: (...all: never[]) => void = () => {}
  const origin = await listen(((req: never, res: never) => answer(req, res)) as never)
  answer = createApp(world, { options: { baseUrl: origin, ...options } }).app as never
  return origin
}

const client = () => {
  const { clientId, clientSecret } = world.provider.overrides
  return { SPOTIFY_CLIENT_ID: clientId, SPOTIFY_CLIENT_SECRET: clientSecret! }
}

function endpoints(): string[] {
  const { issuer, authorizationEndpoint, tokenEndpoint } = world.provider.overrides
  return [
    ['--issuer', issuer],
    ['--authorization-endpoint', authorizationEndpoint],
    ['--token-endpoint', tokenEndpoint],
  ].flat()
}

describe('behalf doctor', () => {
  test('finds nothing to change where all is well', async () => {
    const origin = await runningApp()
    const { status, out } = await runCli(['doctor', 'spotify', ...endpoints()], {
      ...client(),
      BEHALF_BASE_URL: origin,
      BEHALF_STORE: `file:${join(folder, 'store')}`,
    })
    expect(out).not.toContain('CHANGE')
    expect(status).toBe(0)
    for (const about of ['secret', 'base URL', 'store', 'spotify', 'clock', 'app', 'proxy']) {
      expect(out).toMatch(new RegExp(`^ok +${about} `, 'm'))
    }
    expect(out).toContain(`register ${origin}/auth/spotify/callback`)
    expect(out).toContain('shared by all processes of this machine')
    const worse = await runCli(['doctor'], { BEHALF_SECRET: 'short' })
    expect(worse.out).toMatch(/^CHANGE secret /m)
    expect(worse.status).toBe(1)
  }, 60_000)

  test.each([
    ['a short secret', { BEHALF_SECRET: 'short' }, /change secret .*32 bytes/],
    ['a secret that is no secret', { BEHALF_SECRET: 'abcd'.repeat(12) }, /change secret .*random/],
    ['no secret', { BEHALF_SECRET: '', NODE_ENV: 'production' }, /change secret .*not set/],
    ['no base URL', { BEHALF_BASE_URL: '' }, /change base URL .*BEHALF_BASE_URL/],
    ['a path', { BEHALF_BASE_URL: 'https://a.example/x' }, /change base URL .*an origin/],
    ['plain http', { BEHALF_BASE_URL: 'http://a.example' }, /change base URL .*https/],
    ['no store', { BEHALF_STORE: '' }, /change store .*BEHALF_STORE/],
    ['a store for one process', { BEHALF_STORE: 'memory:' }, /change store .*one process only/],
    ['a store that is away', { BEHALF_STORE: 'redis://127.0.0.1:1' }, /change store /],
    ['a store that is none', { BEHALF_STORE: 'carrier-pigeon:' }, /change store /],
  ])('says what to change: %s', async (_what, env, finding) => {
    expect(await examined([], env)).toMatch(finding)
  })

  test('tells a proxy that hides the host, one that drops cookies, and a wrong path', async () => {
    const origin = await runningApp()
    const proxy = async (to: string, change: (headers: OutgoingHttpHeaders) => void) =>
      listen(((req: never, res: never) => forward(to, req, res, change)) as never)
    const run = (base: string, ...more: string[]) =>
      examined(['--base-url', base, '--store', `file:${join(folder, 's')}`, ...more])
    const dropping = await proxy(origin, (headers) => delete headers['set-cookie'])
    const caching = await proxy(origin, (headers) => delete headers['cache-control'])
    // The app knows the proxy by its public name, and sees its own.
    let inner = ''
    const hiding = await listen(((req: never, res: never) =>
      forward(inner, req, res, () => {})) as never)
    inner = await runningApp({ baseUrl: hiding })
    const dropped = await run(dropping)
    const cached = await run(caching)
    const wrong = await run(origin, '--base-path', '/login')
    const hidden = await run(hiding)
    expect(dropped).toMatch(/change proxy .*Set-Cookie/)
    expect(cached).toMatch(/change app .*Cache-Control/)
    expect(wrong).toMatch(/change app .*--base-path/)
    expect(hidden).toMatch(/change proxy .*Host header/)
  })

  test('an app whose users sign in first is not taken for one behind a bad proxy', async () => {
    const origin = await runningApp({ user: () => undefined, signInUrl: '/sign-in' })
    const found = await examined(['--base-url', origin])
    expect(found).toMatch(/note app .*signInUrl/)
    expect(found).not.toMatch(/change proxy/)
  })

  test('LG-02 nothing that an app says is a command to the terminal', async () => {
    const origin = await listen((_req, res) => {
      res.setHeader('cache-control', 'no-store')
      res.end(JSON.stringify({ providers: { '\u001b[2Jx\u202e\nok     app': {} } }))
    })
    const { out } = await runCli(['doctor', 'mine', '--client-id', 'x', '--base-url', origin])
    expect(out).toContain('has no provider mine; it has: [2Jxok     app\n')
    expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  test('tells a provider that is not what it says, a clock that is wrong, and an app that is away', async () => {
    const origin = await runningApp()
    const run = (...more: string[]) =>
      examined(['mine', '--client-id', 'x', '--base-url', origin, ...more])
    world.provider.switches.discovery = 'wrong-issuer'
    expect(await run('--issuer', world.provider.issuer)).toMatch(/change mine .*issuer/)
    world.provider.switches.discovery = (metadata) => ({
      headers: {
        'content-type': 'application/json',
        date: new Date(Date.now() - 3_600_000).toUTCString(),
      },
      body: JSON.stringify(metadata),
    })
    const late = await run('--issuer', world.provider.issuer)
    expect(late).toMatch(/change clock .*3600 s/)
    expect(late).toMatch(/change app .*has no provider mine; it has: spotify/)
    world.provider.reset()
    const away = await examined(['--base-url', 'http://127.0.0.1:9'])
    expect(away).toMatch(/^note app .*does not answer/m)
  })
})

/** A proxy that puts its own host in the place of the browser's. */
function forward(
  origin: string,
  req: IncomingMessage,
  res: ServerResponse,
  change: (headers: OutgoingHttpHeaders) => void,
): void {
  const { host: _, ...headers } = req.headers
  httpRequest(`${origin}${req.url}`, { headers, agent: false }, (reply) => {
    const changed = { ...reply.headers }
    change(changed)
    res.writeHead(reply.statusCode!, changed)
    reply.pipe(res)
  }).end()
}
