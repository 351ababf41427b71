import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { StoreUnavailableError } from '../../../src/errors.ts'
import { redisStore } from '../../../src/stores/redis.ts'
import type { RedisDriverName, RedisStoreOptions } from '../../../src/stores/redis.ts'
import { commands } from '../../../src/stores/redis/connection.ts'
import type { Store } from '../../../src/stores/store.ts'
import { storeContract } from '../../../src/testing/stores/store-contract.ts'
import { component } from '../../components.ts'
import { startRedis } from '../../support/redis-servers.ts'
import { freePort } from '../../support/server-process.ts'

const redis = component('redis-server')
const hasOpenssl = existsSync('/usr/bin/openssl')
const bytes = (text: string) => Buffer.from(text)
const secret = 'hunter2-secret'

describe.skipIf(!redis.present).each<RedisDriverName>(['ioredis', 'redis'])(
  'redis by the driver %s',
  (driver) => {
    const stores: Store[] = []
    const open = (url: string, options: RedisStoreOptions = {}) => {
      const store = redisStore(url, { driver, ...options })
      stores.push(store)
      return store as Required<Store>
    }
    afterAll(() => Promise.all(stores.map((store) => store.close())))

    test('with no server there a call fails at once, and names nothing secret', async () => {
      const port = await freePort()
      const store = open(`redis://user:${secret}@127.0.0.1:${port}`)
      const began = performance.now()
      const error = await store.get('key').catch((failure: Error) => failure)
      expect(performance.now() - began).toBeLessThan(1_000)
      expect(error).toBeInstanceOf(StoreUnavailableError)
      expect(String(error)).toContain('ECONNREFUSED')
      expect(JSON.stringify([error, String(error)])).not.toMatch(new RegExp(`${secret}|${port}`))
    })

    test('a wrong password is a failure that says so, and does not repeat it', async () => {
      const server = await startRedis({
        args: ['--requirepass', 'right'],
        cliArgs: ['-a', 'right'],
      })
      const store = open(server.url.replace('//', `//:${secret}@`))
      const error = await store.get('key').catch((failure: Error) => failure)
      expect(error).toBeInstanceOf(StoreUnavailableError)
      expect(String(error)).toMatch(/WRONGPASS/)
      expect(String(error)).not.toContain(secret)
      await expect(open(server.url).get('key')).rejects.toThrow(/NOAUTH/)
      await open(server.url.replace('//', '//:right@')).set('key', bytes('value'))
      await server.close()
    })

    test('after the server was killed and is back, the next call works', async () => {
      const server = await startRedis()
      const store = open(server.url)
      await store.set('key', bytes('value'))
      const version = await store.compareAndSwap('lease', undefined, bytes('value'))
      await server.server.kill()
      for (let count = 0; count < 3; count += 1) {
        await expect(store.get('key')).rejects.toThrow(StoreUnavailableError)
      }
      await server.server.start()
      expect(await store.get('key')).toBeUndefined()
      expect(await store.compareAndSwap('lease', version, bytes('value'))).toBeUndefined()
      expect(await store.compareAndSwap('lease', undefined, bytes('value'))).toBeDefined()
      await server.close()
    })

    test('a connection that the server closed is not noticed', async () => {
      const server = await startRedis()
      const store = open(server.url)
      await store.set('key', bytes('value'))
      await server.cli('client', 'kill', 'type', 'normal')
      await sleep(50)
      expect((await store.get('key'))?.value).toEqual(bytes('value'))
      await server.close()
    })

    test('while the server is away nothing goes on by itself', async () => {
      const server = await startRedis()
      const store = open(server.url)
      await store.set('key', bytes('value'))
      await server.server.kill()
      await expect(store.get('key')).rejects.toThrow(StoreUnavailableError)
      await sleep(100)
      let attempts = 0
      const listener = createServer(() => (attempts += 1)).listen(server.port, '127.0.0.1')
      await sleep(700)
      expect(attempts).toBe(0)
      listener.close()
      await server.close()
    })

    test('calls that wait when the server is killed fail, and none of them is sent again', async () => {
      const server = await startRedis()
      const store = open(server.url)
      await store.set('key', bytes('value'))
      server.server.freeze()
      const waiting = Array.from({ length: 20 }, () => store.increment('count', 1))
      const settled = Promise.allSettled(waiting)
      await sleep(50)
      // Not thawed before, so that it answers nothing.
      process.kill(server.server.pid, 'SIGKILL')
      await server.server.kill()
      for (const { status } of await settled) expect(status).toBe('rejected')
      await server.server.start()
      expect(await store.increment('count', 1)).toBe(1)
      await server.close()
    })

    test('a frozen server costs the time limit, and works as soon as it goes on', async () => {
      const server = await startRedis()
      const store = open(server.url, { commandTimeout: 0.3, connectTimeout: 0.3 })
      await store.set('key', bytes('value'))
      server.server.freeze()
      for (let count = 0; count < 3; count += 1) {
        const began = performance.now()
        await expect(store.get('key')).rejects.toThrow(/ETIMEDOUT/)
        expect(performance.now() - began).toBeLessThan(1_000)
      }
      server.server.thaw()
      await sleep(300)
      expect((await store.get('key'))?.value).toEqual(bytes('value'))
      await server.close()
    })

    test('a connection that went dead without a word is replaced', async () => {
      const server = await startRedis()
      const network = await startNetwork(server.port)
      const store = open(network.url, { commandTimeout: 0.3 })
      await store.set('key', bytes('value'))
      network.swallow()
      await expect(store.get('key')).rejects.toThrow(StoreUnavailableError)
      await sleep(500)
      expect((await store.get('key'))?.value).toEqual(bytes('value'))
      network.close()
      await server.close()
    })

    test('a server that never answers the greeting costs the time limit', async () => {
      const silent = createServer().listen(0, '127.0.0.1')
      await new Promise((resolve) => silent.once('listening', resolve))
      const { port } = silent.address() as { port: number }
      const store = open(`redis://:pw@127.0.0.1:${port}/1`, { connectTimeout: 0.3 })
      const began = performance.now()
      await expect(store.get('key')).rejects.toThrow(/ETIMEDOUT/)
      expect(performance.now() - began).toBeLessThan(1_000)
      silent.close()
    })

    test('close lets what has begun come to its end, in the middle of calls and of connecting', async () => {
      const server = await startRedis()
      const store = open(server.url)
      const early = Promise.allSettled([store.get('key'), store.set('key', bytes('value'))])
      await store.close()
      for (const { status } of await early) expect(status).toBe('fulfilled')
      const second = open(server.url)
      await second.set('key', bytes('value'))
      const calls = Promise.allSettled(Array.from({ length: 100 }, () => second.get('key')))
      await second.close()
      await second.close()
      for (const { status } of await calls) expect(status).toBe('fulfilled')
      await expect(second.get('key')).rejects.toThrow(/it has been closed/)
      await server.close()
    })

    test('a database that is not there is a failure, and not database 0', async () => {
      const server = await startRedis()
      await expect(open(`${server.url}/99`).set('key', bytes('value'))).rejects.toThrow(
        StoreUnavailableError,
      )
      expect(await open(server.url).get('key')).toBeUndefined()
      await server.close()
    })

    test('an ACL user needs the documented commands and its own keys only', async () => {
      const server = await startRedis()
      await server.cli(
        'acl',
        'setuser',
        'app',
        'on',
        `>${secret}`,
        '~app:*',
        '~app',
        '&app:*',
        ...allowed,
      )
      for (const layout of ['keys', 'hash'] as const) {
        const make = () =>
          open(server.url.replace('//', `//app:${secret}@`), { namespace: 'app', layout })
        const failed: string[] = []
        await Promise.all(
          storeContract(make).map(({ title, run }) => run().catch(() => failed.push(title))),
        )
        expect(failed).toEqual([])
      }
      const other = open(server.url.replace('//', `//app:${secret}@`), { namespace: 'other' })
      await expect(other.get('key')).rejects.toThrow(/NOPERM/)
      await server.close()
    })

    test('INFO may be forbidden', async () => {
      const server = await startRedis({
        args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'],
      })
      await server.cli('acl', 'setuser', 'app', 'on', `>${secret}`, '~*', '+@all', '-info')
      const store = open(server.url.replace('//', `//app:${secret}@`))
      await store.set('key', bytes('value'))
      expect(await store.delete('key')).toBe(true)
      await server.close()
    })

    test('a Unix socket', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'behalf-socket-'))
      const path = join(folder, 'redis.sock')
      const server = await startRedis({
        args: ['--port', '0', '--unixsocket', path],
        cliArgs: ['-s', path],
      })
      const store = open(`redis+unix://${path}?db=1`)
      await store.set('key', bytes('value'))
      expect(await server.cli('-n', '1', 'exists', 'behalf:key')).toBe('1\n')
      await server.close()
      rmSync(folder, { recursive: true })
    })

    test.skipIf(!hasOpenssl)('TLS, with the certificate checked', async () => {
      const { folder, ca, files } = certificate()
      const port = await freePort()
      const server = await startRedis({
        port,
        args: ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files],
        cliArgs: ['--tls', '--insecure'],
      })
      const url = `rediss://localhost:${port}`
      const store = open(url, { tls: { ca } })
      await store.set('key', bytes('value'))
      expect((await store.get('key'))?.value).toEqual(bytes('value'))
      await expect(open(url).get('key')).rejects.toThrow(StoreUnavailableError)
      await expect(
        open(url.replace('localhost', '127.0.0.1'), { tls: { ca } }).get('key'),
      ).rejects.toThrow(StoreUnavailableError)
      const named = open(url.replace('localhost', '127.0.0.1'), {
        tls: { ca, servername: 'localhost' },
      })
      expect((await named.get('key'))?.value).toEqual(bytes('value'))
      await server.close()
      rmSync(folder, { recursive: true })
    })
  },
)

if (redis.present && !hasOpenssl) process.stderr.write('\n  SKIPPED TESTS: openssl is missing.\n\n')

/** What an ACL user has to be allowed: what is sent, what the scripts use, and the driver's own. */
const allowed = [
  ...commands.filter((command) => !['info', 'role', 'sentinel'].includes(command)),
  'hget',
  'hmget',
  'hscan',
  'hset',
  'persist',
  'pexpire',
  'pttl',
  'time',
  'publish',
  'subscribe',
  'ping',
].map((command) => `+${command}`)

/** Passes bytes on, until it is told to swallow those of the connections that are there. */
async function startNetwork(port: number) {
  const sockets: Array<{ pause(): void; unpipe(): void; destroy(): void }> = []
  const server = createServer((socket) => {
    const upstream = connect(port, '127.0.0.1')
    for (const end of [socket, upstream]) end.on('error', () => {})
    socket.pipe(upstream).pipe(socket)
    sockets.push(socket, upstream)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address() as { port: number }
  return {
    url: `redis://127.0.0.1:${address.port}`,
    swallow: () => {
      for (const socket of sockets) socket.unpipe()
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'behalf-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    '/usr/bin/openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  )
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert]
  return { folder, ca: readFileSync(cert), files }
}
