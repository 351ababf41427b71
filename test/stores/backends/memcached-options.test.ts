import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/errors.ts'
import { Distribution } from '../../../src/stores/memcached/distribution.ts'
import { memcachedSettings } from '../../../src/stores/memcached/settings.ts'
import type { MemcachedStoreOptions } from '../../../src/stores/memcached.ts'
import { memcachedStore } from '../../../src/stores/memcached.ts'
import { hostileRows } from '../../hostile.ts'

describe('options', () => {
  const refused: MemcachedStoreOptions[] = [
    { servers: [] },
    { servers: 'a:1' as never },
    { servers: ['a:1', 'a:1'] },
    { servers: ['a', 'a:11211'] },
    { servers: ['user:password@a:1'] },
    { servers: ['a:1,b:2'] },
    { servers: ['a/b'] },
    { servers: ['a:0'] },
    { servers: ['a:65536'] },
    { servers: [1 as never] },
    { host: '' },
    { host: 'a b' },
    { host: null as never },
    { port: 0 },
    { port: 1.5 },
    { port: 'x' as never },
    { namespace: '' },
    { namespace: 'a:b' },
    { connectTimeout: -1 },
    { commandTimeout: Number.NaN },
    { commandTimeout: '2' as never },
    { maxValueBytes: 0 },
    { url: 'redis://a' },
  ]
  test.each(refused)('%j is refused', (options) => {
    expect(() => memcachedStore(options)).toThrow(ConfigError)
    expect(() => memcachedStore({}, options)).toThrow(ConfigError)
  })

  test.each(hostileRows('storeConfig'))('the namespace of $id is refused', ({ input }) => {
    const { tableOrNamespace: namespace } = input as { tableOrNamespace: string }
    expect(() => memcachedStore({ namespace })).toThrow(ConfigError)
  })

  test.each([undefined, null, 42, true])('the source %j is refused', (source) => {
    expect(() => memcachedStore(source as never)).toThrow(ConfigError)
  })

  test.each([
    'memcached://user:pw-5ecret@h',
    'memcached://pw-5ecret@h',
    'memcached://h/pw-5ecret',
    'memcached://h?pw-5ecret=1',
    'memcached://h?namespace=pw-5ecret',
    'memcached://h?port=pw-5ecret',
    'memcache://pw-5ecret',
    'memcached://h:pw-5ecret',
    'memcached://h?servers=pw-5ecret@h',
  ])('ST-12 %s is refused, and the message does not repeat the secret', (url) => {
    const attempt = () => memcachedStore(url)
    expect(attempt).toThrow(ConfigError)
    expect(attempt).not.toThrow(/5ecret/)
  })

  test.each<[string | URL | MemcachedStoreOptions, MemcachedStoreOptions, string[]]>([
    [{}, {}, ['127.0.0.1:11211']],
    ['memcached:', {}, ['127.0.0.1:11211']],
    ['memcached://a', {}, ['a:11211']],
    ['memcached://a:1,b,[::1]:3/', {}, ['a:1', 'b:11211', '::1:3']],
    [new URL('memcached://a:1?namespace=x'), {}, ['a:1']],
    ['memcached://?host=a&port=2', {}, ['a:2']],
    ['memcached://?servers=a:1,b:2', {}, ['a:1', 'b:2']],
    ['memcached://a:1', { servers: ['b:2'] }, ['b:2']],
    ['memcached://a:1,b:2', { host: 'c' }, ['c:11211']],
    [{ url: 'memcached://a:1' }, {}, ['a:1']],
    [{ url: 'memcached://a:1' }, { url: 'memcached://b:2' }, ['b:2']],
    [{ host: '::1', port: 5 }, {}, ['::1:5']],
    [{ servers: ['a'] }, { servers: undefined }, ['a:11211']],
  ])('%s with %j names %j', (source, options, expected) => {
    const { servers } = memcachedSettings(source, options)
    expect(servers.map(({ host, port }) => `${host}:${port}`)).toEqual(expected)
  })

  test('every option can be in the URL', () => {
    const url =
      'memcached://a:1?namespace=x&connectTimeout=0.5&commandTimeout=0.25&maxValueBytes=1000'
    expect(memcachedSettings(url, {})).toEqual({
      servers: [{ host: 'a', port: 1, connectMs: 500, commandMs: 250 }],
      namespace: 'x',
      maxValueBytes: 1000,
    })
  })
})

describe('the distribution of keys', () => {
  const names = Array.from({ length: 3000 }, (_, index) => `behalf:cache:${index * 7919}`)
  const over = (...servers: string[]) =>
    new Distribution(servers.map((server) => [server, server] as const))

  test('is as even as chance', () => {
    const servers = ['10.0.0.1:11211', '10.0.0.2:11211', '10.0.0.3:11211']
    const counts = new Map<string, number>()
    for (const name of names) {
      const server = over(...servers).serverOf(name)
      counts.set(server, (counts.get(server) ?? 0) + 1)
    }
    for (const server of servers) expect(Math.abs(counts.get(server)! - 1000)).toBeLessThan(120)
  })

  test('a further server takes over its part, and nothing moves between the others', () => {
    const [before, after] = [over('a:1', 'b:1', 'c:1'), over('d:1', 'c:1', 'b:1', 'a:1')]
    const moved = names.filter((name) => before.serverOf(name) !== after.serverOf(name))
    expect(new Set(moved.map((name) => after.serverOf(name)))).toEqual(new Set(['d:1']))
    expect(Math.abs(moved.length - 750)).toBeLessThan(120)
  })

  test('stays as it is from release to release', () => {
    const owners = names.slice(0, 12).map((name) => over('a:1', 'b:1', 'c:1').serverOf(name)[0])
    expect(owners.join('')).toBe('bacaacabccbb')
  })
})
