import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'

const running: Array<ReturnType<typeof start>> = []
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL')
})

/** Starts the command line; what it prints is collected. */
function start(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/behalf.ts', ...args])
  const printed = { out: '', error: '' }
  child.stdout.on('data', (text) => (printed.out += text))
  child.stderr.on('data', (text) => (printed.error += text))
  return { child, printed, ended: once(child, 'close') as Promise<[number | null]> }
}

async function run(...args: string[]) {
  const { printed, ended } = start(...args)
  const [status] = await ended
  return { status, ...printed }
}

/** Resolves to the first match in what is printed from now on or was before. */
async function printedBy({ child, printed, ended }: ReturnType<typeof start>, what: RegExp) {
  for (;;) {
    const match = what.exec(printed.out)
    if (match) return match
    const more = await Promise.race([once(child.stdout, 'data'), ended.then(() => 'ended')])
    if (more === 'ended' && !what.test(printed.out)) throw new Error(`It ended: ${printed.error}`)
  }
}

describe('behalf', () => {
  it('--help lists the commands', async () => {
    const { status, out } = await run('--help')
    expect(status).toBe(0)
    expect(out).toMatch(/secret .*\n.*test-servers /)
  })

  it('without a command, or with an unknown one, fails and shows the help on stderr', async () => {
    for (const args of [[], ['toString'], ['--version']]) {
      const { status, out, error } = await run(...args)
      expect(status).toBe(2)
      expect(out).toBe('')
      expect(error).toContain('Usage: behalf <command>')
    }
  })

  it('secret prints 256 bits, others each time', async () => {
    const [one, two] = await Promise.all([run('secret'), run('secret')])
    expect(one.status).toBe(0)
    expect(one.out).toMatch(/^[\w-]{43}\n$/)
    expect(Buffer.from(one.out.trim(), 'base64url')).toHaveLength(32)
    expect(two.out).not.toBe(one.out)
  })

  it('refuses options that a command does not have', async () => {
    const { status, out, error } = await run('secret', '--length=8')
    expect([status, out]).toEqual([2, ''])
    expect(error).toMatch(/^behalf secret: Unknown option '--length'/)
  })
})

describe('behalf test-servers', () => {
  it('runs both until it is interrupted, and logs requests without their queries', async () => {
    const servers = start('test-servers', '--provider-port', '0', '--api-port', '0')
    running.push(servers)
    const [, settings = ''] = await printedBy(servers, /spotify\(\{([^}]+)\}\)/)
    const setting = (name: string) => new RegExp(`\\b${name}: '([^']+)'`).exec(settings)?.[1] ?? ''
    const issuer = setting('issuer')

    const metadata = await fetch(`${issuer}/.well-known/oauth-authorization-server?code=hidden`)
    expect(await metadata.json()).toMatchObject({
      issuer,
      authorization_endpoint: setting('authorizationEndpoint'),
      token_endpoint: setting('tokenEndpoint'),
      revocation_endpoint: setting('revocationEndpoint'),
    })
    expect((await fetch(`${setting('apiBaseUrl')}/me`)).status).toBe(401)
    await printedBy(servers, /^\d\d:\d\d:\d\d api {6}GET \/v1\/me 401$/m)
    await printedBy(servers, /provider GET \/\.well-known\/oauth-authorization-server 200$/m)
    expect(servers.printed.out).not.toContain('hidden')

    servers.child.kill('SIGINT')
    expect(await servers.ended).toEqual([0, null])
    await expect(fetch(issuer)).rejects.toThrow('fetch failed')
  })

  it('says which port is in use, and does not stay', async () => {
    const occupied = createServer().listen(0, '127.0.0.1')
    await once(occupied, 'listening')
    const port = String((occupied.address() as AddressInfo).port)
    const { status, error } = await run('test-servers', '--provider-port=0', '--api-port', port)
    occupied.close()
    expect(status).toBe(1)
    expect(error).toContain(`port ${port} is in use`)
    expect(error).not.toContain(' at ')
  })

  it('refuses what is no port', async () => {
    const { status, error } = await run('test-servers', '--api-port', 'http')
    expect(status).toBe(2)
    expect(error).toContain('"http" is no port')
  })
})
