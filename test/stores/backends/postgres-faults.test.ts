import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { postgresStore } from '../../../src/stores/postgres.ts'
import type { PostgresStoreOptions } from '../../../src/stores/postgres.ts'
import type { Store } from '../../../src/stores/store.ts'
import { component } from '../../components.ts'
import { PostgresServer } from '../../support/postgres-server.ts'

const postgres = component('postgresql')
const running = postgres.present ? await PostgresServer.start(postgres.path) : undefined
afterAll(() => running?.end())

const value = Buffer.from('value')
let opened: Store[] = []
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()))
  opened = []
})

describe.skipIf(!running)('a PostgreSQL in trouble', () => {
  const server = running as PostgresServer
  const open = (options: PostgresStoreOptions = {}) => {
    const store = postgresStore(server.url, options)
    opened.push(store)
    return store as Required<Store>
  }

  test('a store whose sessions forget what was prepared goes on', async () => {
    const store = open({ table: 'forgetful', poolSize: 1 })
    await store.get('key')
    await server.query(`
        CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN NULL; END $$;
        CREATE TRIGGER forget AFTER INSERT ON forgetful EXECUTE FUNCTION forget()`)
    await store.set('key', value)
    expect(await store.get('key')).toBeDefined()
    await store.set('key', Buffer.from('again'))
    expect(Buffer.from((await store.get('key'))!.value).toString()).toBe('again')
  })

  test('a row that is locked for too long is store_unavailable, and not written later', async () => {
    const store = open({ table: 'waiting', commandTimeout: 0.4 })
    await store.set('key', value)
    const unlock = await server.lockRow('waiting', 'key')
    const startedAt = performance.now()
    await expect(store.set('key', Buffer.from('late'))).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    expect(performance.now() - startedAt).toBeLessThan(1500)
    await sleep(100)
    await unlock()
    await sleep(200)
    expect(Buffer.from((await store.get('key'))!.value).toString()).toBe('value')
  })

  test('connections that the server ended are replaced', async () => {
    const store = open({ table: 'ended' })
    await Promise.all(Array.from({ length: 20 }, () => store.set('key', value)))
    await server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    )
    await sleep(100)
    const found = await Promise.all(Array.from({ length: 20 }, () => store.get('key')))
    expect(found).not.toContain(undefined)
  })

  test('a frozen server fails calls in time, and serves them once it goes on', async () => {
    const store = open({ table: 'frozen', connectTimeout: 0.5, commandTimeout: 0.5 })
    await Promise.all(Array.from({ length: 4 }, () => store.set('key', value)))
    const frozen = [server.process.pid, ...(await server.connections()).map(({ pid }) => pid)]
    for (const pid of frozen) process.kill(pid, 'SIGSTOP')
    await sleep(100)
    try {
      for (const calls of [1, 30]) {
        const startedAt = performance.now()
        const results = await Promise.allSettled(
          Array.from({ length: calls }, () => store.get('key')),
        )
        expect(performance.now() - startedAt).toBeLessThan(1600)
        for (const result of results) {
          expect(result).toMatchObject({ reason: { code: 'store_unavailable' } })
        }
      }
      const other = open({ connectTimeout: 0.3, commandTimeout: 0.3 })
      await expect(other.get('key')).rejects.toMatchObject({ code: 'store_unavailable' })
      const startedAt = performance.now()
      await store.close()
      expect(performance.now() - startedAt).toBeLessThan(1500)
    } finally {
      for (const pid of frozen) process.kill(pid, 'SIGCONT')
    }
    expect(await open({ table: 'frozen' }).get('key')).toBeDefined()
  })

  test('a server that is killed and started again is used again, with what it kept', async () => {
    const store = open({ table: 'restarted' })
    await store.set('key', value)
    await server.crash()
    const startedAt = performance.now()
    const calls = [store.get('key'), store.set('key', value), store.increment('n', 1)]
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ reason: { code: 'store_unavailable' } })
    }
    expect(performance.now() - startedAt).toBeLessThan(500)
    await server.process.start()
    expect(Buffer.from((await store.get('key'))!.value).toString()).toBe('value')
    await store.set('key', value)
  }, 30_000)
})
