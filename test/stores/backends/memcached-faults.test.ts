import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memcachedStore } from '../../../src/stores/memcached.ts'
import type { MemcachedStoreOptions } from '../../../src/stores/memcached.ts'
import type { Store } from '../../../src/stores/store.ts'
import { component } from '../../components.ts'
import { startMemcached } from '../../support/memcached-server.ts'
import type { MemcachedServer } from '../../support/memcached-server.ts'
import { MemcachedStandIn } from '../../support/memcached-stand-in.ts'

const memcached = component('memcached')
const servers = memcached.present ? await Promise.all([startMemcached(), startMemcached()]) : []
afterAll(() => Promise.all(servers.map((server) => server.close())))

const value = Buffer.from('value')
const unavailable = { code: 'store_unavailable' }
let opened: Store[] = []
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()))
  opened = []
})

function keep(store: Store): Required<Store> {
  opened.push(store)
  return store as Required<Store>
}

describe.skipIf(!memcached.present)('memcached in trouble', () => {
  const [server, other] = servers as [MemcachedServer, MemcachedServer]
  const open = (options: MemcachedStoreOptions = {}) => keep(memcachedStore(server.url, options))

  /** All of its threads, which takes a moment. */
  async function freeze(): Promise<void> {
    server.process.freeze()
    await sleep(100)
  }

  describe('a server that is away', () => {
    test('a frozen one fails calls in time, and serves them once it goes on', async () => {
      const store = open({ commandTimeout: 0.4, connectTimeout: 0.4 })
      await store.set('key', value)
      await freeze()
      try {
        for (const calls of [1, 50]) {
          const startedAt = performance.now()
          const results = await Promise.allSettled(
            Array.from({ length: calls }, (_, index) =>
              index % 2 ? store.set('key', value) : store.get('key'),
            ),
          )
          expect(performance.now() - startedAt).toBeLessThan(1200)
          for (const result of results) expect(result).toMatchObject({ reason: unavailable })
        }
        const startedAt = performance.now()
        const calls = [store.get('key'), store.increment('n', 1)].map((call) =>
          call.catch((error: unknown) => error),
        )
        await store.close()
        expect(performance.now() - startedAt).toBeLessThan(1200)
        for (const call of calls) expect(await call).toMatchObject(unavailable)
        await sleep(1000)
      } finally {
        server.process.thaw()
      }
      const again = open({ commandTimeout: 0.4 })
      expect(await again.get('key')).toBeDefined()
    })

    test('one that was frozen for 3 s answers the very next call with what it was asked for', async () => {
      const store = open({ commandTimeout: 0.3 })
      await store.setMany([
        ['a', Buffer.from('a')],
        ['b', Buffer.from('b')],
      ])
      await freeze()
      try {
        for (let count = 0; count < 6; count += 1) {
          await expect(store.get('a')).rejects.toMatchObject(unavailable)
          await sleep(200)
        }
      } finally {
        server.process.thaw()
      }
      const found = await store.getMany(['b', 'a'])
      expect(found.map((entry) => Buffer.from(entry!.value).toString())).toEqual(['b', 'a'])
    })

    test('one that is killed fails calls at once; started again it is used again, empty', async () => {
      const store = open()
      const version = await store.compareAndSwap('killed', undefined, value)
      await server.process.kill()
      const startedAt = performance.now()
      const calls = [
        store.get('killed'),
        store.set('killed', value),
        store.clear(''),
        store.ttl('killed'),
      ]
      for (const call of await Promise.allSettled(calls)) {
        expect(call).toMatchObject({ status: 'rejected', reason: unavailable })
      }
      expect(performance.now() - startedAt).toBeLessThan(300)
      await server.process.start()
      expect(await store.get('killed')).toBeUndefined()
      expect(await store.compareAndSwap('killed', version, value)).toBeUndefined()
      expect(await store.compareAndSwap('killed', undefined, value)).toBeDefined()
    })

    test('of several only its own keys fail, and clearing does', async () => {
      const store = keep(memcachedStore({ servers: [server.address, other.address] }))
      const keys = Array.from({ length: 40 }, (_, index) => `k:${index}`)
      await store.setMany(keys.map((key) => [key, value] as const))
      await other.process.kill()
      const found = await Promise.allSettled(keys.map((key) => store.get(key)))
      const failed = found.filter(({ status }) => status === 'rejected').length
      expect(failed).toBeGreaterThan(5)
      expect(failed).toBeLessThan(35)
      expect(found.filter((call) => call.status === 'fulfilled' && !call.value)).toEqual([])
      await expect(store.getMany(keys)).rejects.toMatchObject(unavailable)
      await expect(store.setMany(keys.map((key) => [key, value]))).rejects.toMatchObject(
        unavailable,
      )
      await expect(store.clear('k:')).rejects.toMatchObject(unavailable)
      await other.process.start()
      await store.clear('k:')
      expect(new Set(await store.getMany(keys))).toEqual(new Set([undefined]))
    })

    test('one that nobody listens for is told at once, without its address', async () => {
      const closed = createServer().listen(0, '127.0.0.1')
      await once(closed, 'listening')
      const { port } = closed.address() as AddressInfo
      closed.close()
      const store = keep(memcachedStore(`memcached://127.0.0.1:${port}`))
      const error = await store.get('key').catch((reason: unknown) => reason)
      expect(error).toMatchObject({ ...unavailable, message: /ECONNREFUSED/ })
      expect(String((error as Error).stack)).not.toContain(String(port))
    })

    test('one that does not take connections fails within connectTimeout', async () => {
      // TEST-NET-1 (RFC 5737): where it is not refused at once, nobody answers.
      const store = keep(memcachedStore('memcached://192.0.2.1', { connectTimeout: 0.3 }))
      const startedAt = performance.now()
      await expect(store.get('key')).rejects.toMatchObject(unavailable)
      expect(performance.now() - startedAt).toBeLessThan(1500)
    })
  })

  describe('closing', () => {
    test('waits for the calls under way; those after it fail, and nothing stays open', async () => {
      const standIn = await MemcachedStandIn.start(server.port)
      for (const warm of [true, false]) {
        const store = memcachedStore(standIn.url)
        if (warm) await store.get('key')
        const calls = [
          ...Array.from({ length: 20 }, () => store.set(`closed:${warm}`, value)),
          store.compareAndSwap(`new:${warm}`, undefined, value),
          store.increment!(`n:${warm}`, 1),
        ]
        const closed = Promise.all([store.close(), store.close()])
        await expect(store.get('key')).rejects.toThrow(/has been closed/)
        await expect(Promise.all(calls)).resolves.toHaveLength(22)
        await closed
        await expect(store.get('key')).rejects.toThrow(/has been closed/)
      }
      await expect.poll(() => standIn.connections).toBe(0)
      await standIn.close()
    })

    test('a store that was never used has nothing to close', async () => {
      await expect(memcachedStore('memcached://192.0.2.1').close()).resolves.toBeUndefined()
    })
  })

  describe('on the wire', () => {
    let standIn: MemcachedStandIn
    const through = (options: MemcachedStoreOptions = {}) =>
      keep(memcachedStore(standIn.url, { commandTimeout: 0.4, ...options }))

    beforeEach(async () => {
      standIn = await MemcachedStandIn.start(server.port)
      return () => standIn.close()
    })

    test('answers that come byte by byte, or with others, are the same', async () => {
      const sizes = [0, 1, 2, 100, 3000]
      const store = through({ commandTimeout: 5 })
      await store.setMany(
        sizes.map((size) => [`${size}`, Buffer.alloc(size, '\r\nEN\r\n')] as const),
      )
      for (const length of [1, 7, 1000]) {
        standIn.reply = (data, client) => {
          for (let at = 0; at < data.length; at += length) {
            client.write(data.subarray(at, at + length))
          }
          return undefined
        }
        const found = await store.getMany(sizes.map(String))
        expect(found.map((entry) => entry?.value.byteLength)).toEqual(sizes)
      }
    })

    test('an answer that comes too late is nobody\u2019s', async () => {
      const store = through({ commandTimeout: 0.2 })
      await store.setMany([
        ['a', Buffer.from('a')],
        ['b', Buffer.from('b')],
      ])
      standIn.reply = (data, client) => {
        setTimeout(() => client.destroyed || client.write(data), 300)
        return undefined
      }
      await expect(store.get('a')).rejects.toMatchObject(unavailable)
      standIn.reply = (data) => data
      for (let count = 0; count < 5; count += 1) {
        expect(Buffer.from((await store.get('b'))!.value).toString()).toBe('b')
        await sleep(50)
      }
    })

    test('an answer to another command ends the connection, and is never handed out', async () => {
      const store = through()
      await store.setMany([
        ['a', Buffer.from('a')],
        ['b', Buffer.from('b')],
      ])
      standIn.request = (data) =>
        Buffer.from(data.toString('latin1').replace(':a v', ':b v'), 'latin1')
      // The entry names its key.
      expect(await store.get('a')).toBeUndefined()
      standIn.request = (data) => data
      standIn.reply = (data) =>
        Buffer.from(data.toString('latin1').replace(/ O\d+/, ' O999'), 'latin1')
      await expect(store.get('b')).rejects.toMatchObject(unavailable)
      standIn.reply = (data) => data
      await store.get('b')
      standIn.reply = (data) =>
        Buffer.from(data.toString('latin1').replace(/^HD O\d+/, 'HD O999'), 'latin1')
      await expect(store.compareAndSwap('new', undefined, value)).rejects.toMatchObject(unavailable)
      standIn.reply = (data) => data
      expect(Buffer.from((await store.get('b'))!.value).toString()).toBe('b')
    })

    test.each([
      'nonsense\r\n',
      'VA x c1\r\n',
      'VA 99999999999 c1\r\n',
      'VA 2 c1 O1\r\nabcd',
      'HD\n',
      'STORED\r\n',
      'HD\r\nHD\r\nHD\r\n',
      'E'.repeat(5000),
      'ERROR\r\n',
      'CLIENT_ERROR bad pw-5ecret\r\n',
      'SERVER_ERROR out of pw-5ecret\r\n',
    ])('%j instead of an answer is store_unavailable, and the next call works', async (answer) => {
      const store = through()
      await store.set('key', value)
      standIn.reply = () => Buffer.from(answer)
      const error = await store.get('key').catch((reason: unknown) => reason)
      expect(error).toMatchObject(unavailable)
      expect(String(error)).not.toContain('5ecret')
      standIn.reply = (data) => data
      await expect.poll(() => store.get('key').catch(() => undefined)).toBeDefined()
    })

    test('a server before 1.6.10 is named as what is wrong', async () => {
      standIn.reply = () => Buffer.from('ERROR\r\n')
      await expect(through().get('key')).rejects.toThrow(/1\.6\.10/)
    })

    test('a connection that is cut anywhere fails the call, and never gives half a value', async () => {
      const store = through()
      const whole = Buffer.alloc(2000, 'x')
      for (let length = 1; length < 2300; length += 171) {
        await store.set('key', whole)
        standIn.reply = (data, client) => {
          client.write(data.subarray(0, length), () => client.destroy())
          return undefined
        }
        const found = await store.get('key').catch(() => undefined)
        standIn.reply = (data) => data
        if (found) expect(Buffer.from(found.value)).toEqual(whole)
        await expect.poll(() => store.get('key').catch(() => undefined)).toBeDefined()
      }
    })

    test('an item that is larger than anything of ours is passed over', async () => {
      const store = through({ maxValueBytes: 1000, commandTimeout: 2 })
      await server.ask(`ms behalf:big 900000\r\n${'x'.repeat(900_000)}\r\n`)
      const found = await Promise.all([store.get('key'), store.get('big'), store.get('key')])
      expect(found[1]).toBeUndefined()
      expect(await store.compareAndSwap('big', undefined, value)).toBeDefined()
      expect(await store.get('big')).toBeDefined()
    })

    test('a swap that was read before a restart of the server does not happen after it', async () => {
      const store = through({ commandTimeout: 2 })
      const old = await store.compareAndSwap('swapped', undefined, value)
      // The store has read; its write is held until another server, whose marks begin again, is there.
      let held: (() => void) | undefined
      standIn.request = (data, to) => {
        if (!data.includes('ms behalf:swapped')) return data
        held = () => to.destroyed || to.write(data)
        return undefined
      }
      const swap = store
        .compareAndSwap('swapped', old, Buffer.from('late'))
        .catch((error: unknown) => error)
      await expect.poll(() => held).toBeDefined()
      await server.process.kill()
      await server.process.start()
      const direct = open()
      for (let count = 0; count < 50; count += 1) await direct.set('swapped', Buffer.from('newer'))
      held?.()
      expect(await swap).toMatchObject(unavailable)
      expect(Buffer.from((await direct.get('swapped'))!.value).toString()).toBe('newer')
    })

    test('one that lets no writer win is given up on, and not asked for ever', async () => {
      const store = through({ commandTimeout: 5 })
      const version = await store.compareAndSwap('denied', undefined, Buffer.from('1'))
      let asked = 0
      // No entry has that mark, and one that is not there cannot be replaced.
      standIn.request = (data) => {
        const text = data.toString('latin1')
        if (/^m[ds] /.test(text)) asked += 1
        return Buffer.from(text.replace(/ C\d+/, ' C1').replace(' ME ', ' MR '), 'latin1')
      }
      const calls = [
        () => store.compareAndSwap('denied', version, value),
        () => store.compareAndSwap('absent', undefined, value),
        () => store.compareAndDelete('denied', version!),
        () => store.delete('denied'),
        () => store.increment('denied', 1),
        () => store.increment('absent', 1),
        () => store.expire('denied', 60),
      ]
      for (const call of calls) {
        asked = 0
        await expect(call()).rejects.toMatchObject(unavailable)
        expect(asked).toBeGreaterThan(1)
        expect(asked).toBeLessThan(25)
      }
    })

    test('a process that stood still does not take the server for slow', async () => {
      const store = open({ commandTimeout: 0.1 })
      await store.set('key', value)
      for (const wait of [async () => {}, () => new Promise(setImmediate)]) {
        const found = store.get('key')
        await wait()
        const until = performance.now() + 300
        while (performance.now() < until);
        expect(await found).toBeDefined()
      }
      await Promise.resolve()
      const found = store.get('key')
      const until = performance.now() + 300
      while (performance.now() < until);
      expect(await found).toBeDefined()
    })

    test('calls at the same time share one connection, and open one after it has ended', async () => {
      const store = through()
      await Promise.all(Array.from({ length: 30 }, () => store.get('key')))
      expect(standIn.connections).toBe(1)
    })
  })
})
