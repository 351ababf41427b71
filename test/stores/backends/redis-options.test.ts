import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { describe, expect, test, vi } from 'vitest'
import { ConfigError } from '../../../src/errors.ts'
import { isRedisClient, redisStore } from '../../../src/stores/redis.ts'
import type { RedisStoreOptions } from '../../../src/stores/redis.ts'
import { mergedOptions } from '../../../src/stores/redis/options.ts'
import { connectionSettings, layoutSettings } from '../../../src/stores/redis/settings.ts'
import { hostileRows } from '../../hostile.ts'

const secret = 'hunter2'

/** What a store is configured to by a URL and options. */
function settings(url: string | RedisStoreOptions, options: RedisStoreOptions = {}) {
  const merged = mergedOptions(url, options)
  return { ...connectionSettings(merged), ...layoutSettings(merged) }
}

describe('a Redis URL', () => {
  test.each([
    ['redis:', { kind: 'server', addresses: [{ host: 'localhost', port: 6379 }], db: 0 }],
    ['redis://h', { addresses: [{ host: 'h', port: 6379 }] }],
    ['redis://[::1]:7000', { addresses: [{ host: '::1', port: 7000 }] }],
    ['redis://h/3', { db: 3, tls: undefined }],
    ['redis://h/?db=4', { db: 4 }],
    ['redis://u:p%40ss@h', { username: 'u', password: 'p@ss' }],
    ['redis://:pass@h', { username: undefined, password: 'pass' }],
    ['rediss://h', { tls: {} }],
    ['valkeys://h', { tls: {} }],
    ['rediss://h?servername=name', { tls: { servername: 'name' } }],
    ['redis+unix:///run/redis%20a.sock?db=1', { path: '/run/redis a.sock', db: 1 }],
    [
      'redis+unix://u:p@localhost/run/a.sock',
      { path: '/run/a.sock', username: 'u', password: 'p' },
    ],
    [
      'redis://h?connectTimeout=0.5&commandTimeout=1',
      { connectTimeoutMs: 500, commandTimeoutMs: 1000 },
    ],
    ['redis://h?driver=redis&durable=false', { driver: 'redis', durable: false }],
    ['redis://h?namespace=app&layout=hash', { namespace: 'app', layout: 'hash' }],
  ])('%s', (url, expected) => {
    expect(settings(url)).toMatchObject(expected)
  })

  test('of a cluster and of sentinels holds several hosts', () => {
    expect(settings('redis://a:7000,b?cluster=true')).toMatchObject({
      kind: 'cluster',
      addresses: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 6379 },
      ],
    })
    const url = 'redis://u:p@a,b:5000/2?sentinel=m&sentinelUsername=su&sentinelPassword=sp'
    expect(settings(url)).toMatchObject({
      kind: 'sentinel',
      addresses: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 5000 },
      ],
      sentinelName: 'm',
      db: 2,
      password: 'p',
      sentinelUsername: 'su',
      sentinelPassword: 'sp',
    })
  })

  test('gives way to the options beside it', () => {
    const url = 'redis://u:p@a:1/1?namespace=one'
    expect(settings({ url, port: 2, namespace: 'two' }, { namespace: 'three' })).toMatchObject({
      addresses: [{ host: 'a', port: 2 }],
      namespace: 'three',
      password: 'p',
    })
    expect(settings(new URL(url) as never, { password: undefined }).password).toBe('p')
  })

  test.each([
    `http://u:${secret}@h`,
    `redis://u:${secret}@a,b`,
    `redis://u:${secret}@h/name`,
    `redis://u:${secret}@h/1/2`,
    `redis://u:${secret}@h:99999`,
    `redis://u:${secret}@h:0`,
    `redis://u:%zz${secret}@h`,
    `redis://u:${secret}@h?layout=list`,
    `redis://u:${secret}@h?durable=perhaps`,
    `redis://u:${secret}@h?driver=${secret}`,
    `redis://u:${secret}@h?${secret}=1`,
    `redis://u:${secret}@h?namespace=a&namespace=b`,
    `redis://u:${secret}@h/1?cluster=true`,
    `redis://u:${secret}@a,b?cluster=true&sentinel=m`,
    `redis+unix://u:${secret}@h?db=1`,
    `redis+unix://u:${secret}@h/a.sock?db=1.5`,
    secret,
    '',
  ])('%s is refused, and not repeated', (url) => {
    expect(() => redisStore(url)).toThrow(ConfigError)
    expect(() => redisStore(url)).not.toThrow(secret)
  })
})

describe('the options of redisStore', () => {
  test.each([
    { port: 0 },
    { port: 65_536 },
    { port: '6379' },
    { host: '' },
    { host: 5 },
    { db: -1 },
    { db: 1.5 },
    { db: '0' },
    { username: 5 },
    { password: '' },
    { password: 7 },
    { path: 'a\0b' },
    { path: '/a', cluster: true },
    { tls: 'yes' },
    { cluster: [] },
    { cluster: 'a:1' },
    { cluster: [{ port: 1 }] },
    { cluster: [null] },
    { cluster: true, db: 1 },
    { sentinels: [{ host: 'a' }] },
    { sentinelName: 'm' },
    { sentinels: [], sentinelName: 'm' },
    { cluster: true, sentinels: [{ host: 'a' }], sentinelName: 'm' },
    { connectTimeout: 0 },
    { connectTimeout: -1 },
    { commandTimeout: Number.NaN },
    { driver: 'memjs' },
    { layout: 'list' },
    { durable: 1 },
    { namespace: 'a:b' },
    { keyPrefix: 'a' },
  ])('%j are refused', (options) => {
    expect(() => redisStore(options as never)).toThrow(ConfigError)
    expect(() => redisStore('redis://h', options as never)).toThrow(ConfigError)
  })

  test.each([undefined, null, 42, true])('the source %j is refused', (source) => {
    expect(() => redisStore(source as never)).toThrow(ConfigError)
  })

  test.each(hostileRows('storeConfig'))('the namespace of $id is refused', ({ input }) => {
    const { tableOrNamespace: namespace } = input as { tableOrNamespace: string }
    expect(() => redisStore('redis://h', { namespace })).toThrow(ConfigError)
  })

  test('of a connection are refused beside a client that was handed in', () => {
    const client = new Redis({ lazyConnect: true })
    expect(() => redisStore(client, { host: 'h' })).toThrow(/namespace, layout, durable/)
    expect(redisStore(client, { namespace: 'a', layout: 'hash', durable: false }).durable).toBe(
      false,
    )
  })
})

test('a client is recognised by what it can do', () => {
  expect(isRedisClient(new Redis({ lazyConnect: true }))).toBe(true)
  expect(isRedisClient(createClient())).toBe(true)
  for (const other of [undefined, null, 'redis:', {}, { sendCommand() {} }, new Map()]) {
    expect(isRedisClient(other)).toBe(false)
  }
})

test('nothing is loaded or connected before the first use', async () => {
  const store = redisStore('redis://127.0.0.1:1', { driver: 'ioredis' })
  expect(store.reach).toBe('cluster')
  await store.close()
  await store.close()
  await expect(store.get('key')).rejects.toThrow(/it has been closed/)
})

describe('without ioredis', () => {
  const installed = new Set<string>()
  vi.doMock('../../../src/stores/driver.ts', () => ({
    loadDriver: async (name: string) => {
      if (installed.has(name)) return import(name)
      throw new ConfigError(`The driver ${name} is not installed: npm i ${name}`)
    },
  }))

  test('node-redis is used, and with neither the message says what to install', async () => {
    vi.resetModules()
    const fresh = await import('../../../src/stores/redis.ts')
    const attempt = (options: RedisStoreOptions) =>
      fresh.redisStore({ host: '127.0.0.1', port: 1, ...options }).get('key')
    const missing = await attempt({}).catch((error: Error) => error)
    expect(missing).toMatchObject({ code: 'config_invalid', message: /npm i ioredis/ as never })
    await expect(attempt({ driver: 'redis' })).rejects.toThrow(/npm i redis/)
    installed.add('redis')
    await expect(attempt({})).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(attempt({ driver: 'ioredis' })).rejects.toThrow(/npm i ioredis/)
    vi.doUnmock('../../../src/stores/driver.ts')
    vi.resetModules()
  })
})
