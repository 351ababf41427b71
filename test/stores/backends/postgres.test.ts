import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { postgresStore } from '../../../src/stores/postgres.ts'
import type { PostgresClient, PostgresStoreOptions } from '../../../src/stores/postgres.ts'
import { statements } from '../../../src/stores/postgres/statements.ts'
import type { Store } from '../../../src/stores/store.ts'
import { component } from '../../components.ts'
import { PostgresServer, password } from '../../support/postgres-server.ts'

const postgres = component('postgresql')
const running = postgres.present ? await PostgresServer.start(postgres.path) : undefined
afterAll(() => running?.end())

const value = Buffer.from('value')
let opened: Store[] = []
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()))
  opened = []
})

function keep(store: Store): Required<Store> {
  opened.push(store)
  return store as Required<Store>
}

describe.skipIf(!running)('on a server', () => {
  const server = running as PostgresServer
  const open = (options: PostgresStoreOptions = {}) => keep(postgresStore(server.url, options))

  describe('what is stored', () => {
    test('a row with the key, the bytes and the instant of its end by the server\u2019s clock', async () => {
      await open().set('what/é', value, { ttl: 60 })
      const { rows } = await server.query(
        `SELECT *, extract(epoch FROM expires_at - clock_timestamp())::float8 AS left
         FROM behalf WHERE key = 'what/é'`,
      )
      expect(rows).toEqual([
        expect.objectContaining({ version: expect.stringMatching(/^[\w-]{16}$/), value }),
      ])
      expect(rows[0]!['left']).toBeGreaterThan(50)
      expect(rows[0]!['left']).toBeLessThan(60)
    })

    test('ST-07 the clock of this process decides nothing', async () => {
      const store = open()
      await store.set('clock', value, { ttl: 60 })
      for (const skew of [-86_400_000, 86_400_000]) {
        const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + skew)
        expect(await store.get('clock')).toBeDefined()
        expect(await store.ttl('clock')).toBeGreaterThan(50)
        expect(await store.compareAndSwap('clock', undefined, value)).toBeUndefined()
        now.mockRestore()
      }
    })

    test('a ttl of a million years and more is for ever', async () => {
      const store = open()
      for (const ttl of [1e15, Number.MAX_VALUE, Infinity]) {
        await store.set('long', value, { ttl })
        expect(await store.ttl('long')).toBe(Infinity)
        await store.expire('long', 60)
        expect(await store.expire('long', ttl)).toBe(true)
        expect(await store.ttl('long')).toBe(Infinity)
      }
    })

    test('expired rows go away when something is written', async () => {
      const store = open({ table: 'swept' })
      const names = Array.from({ length: 60 }, (_, index) => [`old ${index}`, value] as const)
      await store.setMany(names, { ttl: 0.01 })
      await sleep(50)
      await expect
        .poll(async () => {
          await Promise.all(Array.from({ length: 16 }, () => store.set('new', value)))
          return (await server.query('SELECT count(*)::int FROM swept')).rows[0]?.['count']
        })
        .toBe(1)
    })

    test('what has expired is found without reading the whole table', async () => {
      await open({ table: 'indexed' }).set('key', value)
      const { sweep } = statements('indexed')
      const { rows } = await server
        .query(`SET enable_seqscan = off; EXPLAIN ${sweep.text}`)
        .then((results) => (results as unknown as pg.QueryResult[])[1]!)
      expect(JSON.stringify(rows)).toMatch(/Index Scan using indexed_expires_at_idx/)
      expect(JSON.stringify(rows)).not.toMatch(/Seq Scan/)
    })

    test('a row that somebody holds a lock on delays no write of another key', async () => {
      const store = open({ table: 'locked', poolSize: 1 })
      await store.set('held', value, { ttl: 0.01 })
      await sleep(50)
      const unlock = await server.lockRow('locked', 'held')
      const startedAt = performance.now()
      for (let count = 0; count < 40; count += 1) await store.set('free', value)
      expect(performance.now() - startedAt).toBeLessThan(1500)
      await unlock()
    })

    test('ST-02 clear deletes thousands, and none of another prefix or table', async () => {
      const [store, other] = [open({ table: 'cleared' }), open({ table: 'cleared_other' })]
      const names = Array.from({ length: 1_300 }, (_, index) => [`a%:${index}`, value] as const)
      await store.setMany([...names, ['a%', value], ['a\u{10FFFF}', value], ['ab', value]])
      await other.set('a%:1', value)
      await store.clear('a%:')
      expect(await list(store, '')).toEqual(['a%', 'ab', 'a\u{10FFFF}'])
      expect(await list(store, 'a\u{10FFFF}')).toEqual(['a\u{10FFFF}'])
      expect(await list(store, 'a')).toEqual(['a%', 'ab', 'a\u{10FFFF}'])
      expect(await list(other, '')).toEqual(['a%:1'])
    })

    test('ST-02 a key column with another collation takes no other prefix\u2019s keys', async () => {
      await server.query(
        `CREATE TABLE collated (key text COLLATE "en-x-icu" PRIMARY KEY, version text NOT NULL,
          value bytea NOT NULL, expires_at timestamptz NOT NULL)`,
      )
      const store = open({ table: 'collated', createTable: false })
      const own = ['a:', 'a:1', 'a:B', 'a:c', 'a:\u00e9']
      const others = ['a', 'A:1', 'a-1', 'a1', 'ab', 'aB:', '\u00e1:1', 'b:']
      await store.setMany([...own, ...others].map((key) => [key, value] as const))
      expect(await list(store, 'a:')).toEqual(own)
      await store.clear('a:')
      expect(await list(store, '')).toEqual(others.toSorted())
    })

    test.each(['page', 'clear'] as const)(
      'ST-02 %s reads only the rows of its prefix, by the primary key',
      async (name) => {
        await open({ table: 'ranged' }).set('key', value)
        const { text } = statements('ranged')[name]
        const explain = `EXPLAIN ${text.replaceAll('$1', `'a'`).replaceAll('$2', `'b'`)}`
        // For a table with next to nothing in it any other way is as good.
        const off = ['seqscan', 'bitmapscan', 'sort'].map((way) => `SET enable_${way} = off;`)
        const results = await server.query(off.join('') + explain)
        const plan = JSON.stringify((results as unknown as pg.QueryResult[]).at(-1)!.rows)
        expect(plan).toMatch(/Index Scan using ranged_pkey/)
        expect(plan).toMatch(/Index Cond: \(\(key >= 'a'/)
        expect(plan).not.toMatch(/Seq Scan|Sort/)
      },
    )

    test('writers of the same keys in another order do not block each other', async () => {
      const stores = [open({ table: 'ordered' }), open({ table: 'ordered' })] as const
      const names = Array.from({ length: 200 }, (_, index) => `key ${index}`)
      const rounds = Array.from({ length: 15 }, async () => {
        const entries = names.map((name) => [name, value] as const)
        await Promise.all([
          stores[0].setMany(entries),
          stores[1].setMany(entries.toReversed()),
          stores[0].deleteMany(names.toReversed()),
          stores[1].deleteMany(names),
          stores[0].clear('key 1'),
        ])
      })
      await expect(Promise.all(rounds)).resolves.toBeDefined()
    })

    test('SQL in a key stays a key', async () => {
      const store = open({ table: 'injected' })
      const names = [`'; DROP TABLE injected; --`, '$1', '{"a","b"}', 'NULL', '\\', '"', '{}', '\n']
      await store.setMany(names.map((name) => [name, Buffer.from(name)]))
      const found = await store.getMany(names)
      expect(found.map((entry) => Buffer.from(entry!.value).toString())).toEqual(names)
      expect((await list(store, '')).toSorted()).toEqual(names.toSorted())
      expect(await store.deleteMany(names)).toBe(names.length)
    })

    test('a row without a version, or that is not of bytes, is a miss', async () => {
      await server.query(
        'CREATE TABLE foreign_rows (key text PRIMARY KEY, version text, value bytea, expires_at timestamptz)',
      )
      await server.query(
        `INSERT INTO foreign_rows VALUES ('no version', NULL, 'x', 'infinity'),
         ('no value', 'v', NULL, 'infinity'), ('no end', 'v', 'x', NULL)`,
      )
      const store = open({ table: 'foreign_rows' })
      for (const key of ['no version', 'no value', 'no end']) {
        expect(await store.get(key)).toBeUndefined()
        expect(await store.getMany([key])).toEqual([undefined])
        expect(await store.compareAndSwap(key, undefined, value)).toBeDefined()
        expect(await store.get(key)).toBeDefined()
      }
    })
  })

  describe('the table', () => {
    test('twenty stores that start at once make it together', async () => {
      const stores = Array.from({ length: 20 }, () => open({ table: 'raced', poolSize: 1 }))
      await Promise.all(stores.map((store, index) => store.set(`key ${index}`, value)))
      expect(await list(stores[0]!, '')).toHaveLength(20)
    })

    test('it is made in the schema that is named, under a name as long as names can be', async () => {
      await server.query('CREATE SCHEMA "Mine"')
      const table = 'T'.repeat(63)
      await open({ schema: 'Mine', table }).set('key', value)
      const { rows } = await server.query(
        'SELECT tablename, indexname FROM pg_indexes WHERE schemaname = $1',
        ['Mine'],
      )
      expect(rows.map(({ tablename }) => tablename)).toEqual([table, table])
    })

    test('a role that may not make tables uses the one that is there', async () => {
      await open({ table: 'given' }).set('key', value)
      await server.query(`CREATE ROLE reader LOGIN PASSWORD '${password}'`)
      await server.query('GRANT SELECT, INSERT, UPDATE, DELETE ON given TO reader')
      const store = open({ table: 'given', user: 'reader' })
      expect(await store.get('key')).toBeDefined()
      const another = open({ table: 'not_given', user: 'reader' })
      await expect(another.get('key')).rejects.toMatchObject({ code: 'store_unavailable' })
    })

    test('with createTable: false none is made', async () => {
      const store = open({ table: 'not_made', createTable: false })
      await expect(store.set('key', value)).rejects.toThrow(/42P01/)
      const { rows } = await server.query(`SELECT to_regclass('not_made') AS found`)
      expect(rows).toEqual([{ found: null }])
    })

    test('one that is dropped meanwhile is made again', async () => {
      const store = open({ table: 'dropped' })
      await store.set('key', value)
      await server.query('DROP TABLE dropped')
      // The sweep behind the write may have met it first.
      const met = await store.get('key').catch((error: { code: string }) => error.code)
      expect([undefined, 'store_unavailable']).toContain(met)
      expect(await store.get('key')).toBeUndefined()
      await store.set('key', value)
    })
  })

  describe('ways to name the server', () => {
    const { url = 'postgres://localhost', folder = '', port = 0 } = running ?? {}
    const parts = { host: '127.0.0.1', port, user: 'tester', password, database: 'postgres' }
    const query = new URLSearchParams({ ...parts, port: String(port) })
    const sources: Record<string, [string | URL | PostgresStoreOptions, PostgresStoreOptions?]> = {
      'a URL': [url],
      'a postgresql:// URL': [url.replace('postgres:', 'postgresql:')],
      'a URL object': [new URL(url)],
      'options with a URL': [{ url: url }],
      options: [parts],
      'a function for the password': [{ ...parts, password: async () => password }],
      'a Unix socket': [{ ...parts, host: folder }],
      'a URL of a Unix socket': [
        `postgres://tester:${password}@${encodeURIComponent(folder)}:${port}/postgres`,
      ],
      'a URL of options': [
        `postgres://?${query.toString()}&table=by_url&schema=public&poolSize=2&createTable=true&tls=false` +
          '&connectTimeout=1.5&commandTimeout=1',
      ],
      'sslmode=disable': [`${url}?sslmode=disable`],
      'options that win over the URL': [
        'postgres://nobody:wrong@127.0.0.2:1/nowhere?table=pg_no',
        { ...parts, table: 'winner' },
      ],
    }
    test.each(Object.entries(sources))('%s', async (_, [source, options]) => {
      const store = keep(postgresStore(source, options))
      await store.set('named', value)
      expect(await store.get('named')).toBeDefined()
    })

    test.each([{ tls: true }, { url: `${url}?sslmode=require` }])(
      'with %j nothing is sent in plain text',
      async (options) => {
        const store = keep(postgresStore({ url: url, ...options }))
        await expect(store.get('key')).rejects.toMatchObject({ code: 'store_unavailable' })
      },
    )

    test('ST-12 a password that the server refuses is in no error', async () => {
      const store = open({ password: 'pw-5ecret-that-is-wrong', user: 'tester' })
      const error = await store.get('key').catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'store_unavailable', message: /28P01/ })
      expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('5ecret')
    })

    test('no more than poolSize connections are made', async () => {
      const store = open({ poolSize: 3, table: 'sized' })
      await Promise.all(Array.from({ length: 50 }, () => store.get('key')))
      const ours = (await server.connections()).filter((connection) =>
        connection.query.includes('sized'),
      )
      expect(ours).toHaveLength(3)
    })
  })

  describe('clients', () => {
    test('a pool that was handed in stays open, and the store does not', async () => {
      const pool = new pg.Pool({ connectionString: server.url })
      const store = postgresStore(pool)
      await store.set('key', value)
      await store.close()
      await store.close()
      await expect(store.get('key')).rejects.toThrow(/has been closed/)
      expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
      await pool.end()
    })

    test('a single client, and whatever runs statements like one, does as well', async () => {
      const client = new pg.Client(server.url)
      await client.connect()
      const asked: string[] = []
      const other: PostgresClient = {
        async query(text, values) {
          asked.push(text)
          const { rows, rowCount } = await client.query(text, values)
          return { rows, rowCount }
        },
      }
      for (const source of [client, other]) {
        const store = postgresStore(source, { table: 'by_client' })
        await store.set('key', value)
        expect(await store.increment?.('count', 1)).toBeGreaterThan(0)
        expect(await store.ttl?.('key')).toBe(Infinity)
        await store.close()
      }
      expect(asked.every((text) => typeof text === 'string')).toBe(true)
      await client.end()
    })

    test('a failure of a client that was handed in does not show its text', async () => {
      const failing: PostgresClient = {
        query: async () => {
          throw new Error('cannot reach postgres://tester:pw-5ecret@host')
        },
      }
      const error = await postgresStore(failing)
        .get('key')
        .catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'store_unavailable' })
      expect(String((error as Error).stack)).not.toContain('5ecret')
    })

    test('closing ends every connection of ours', async () => {
      const store = open({ table: 'closed_one' })
      await Promise.all(Array.from({ length: 20 }, () => store.get('key')))
      await Promise.all([store.close(), store.close()])
      await expect(store.get('key')).rejects.toThrow(/has been closed/)
      await expect
        .poll(async () =>
          (await server.connections()).filter((connection) =>
            connection.query.includes('closed_one'),
          ),
        )
        .toEqual([])
    })

    test.each([
      { calls: 5, afterMs: 0, poolSize: 10, warm: false },
      { calls: 5, afterMs: 0, poolSize: 10, warm: true },
      { calls: 30, afterMs: 0, poolSize: 2, warm: true },
      { calls: 30, afterMs: 3, poolSize: 2, warm: false },
    ])('closing waits for what has begun: %j', async ({ calls, afterMs, poolSize, warm }) => {
      const table = `closed_${calls}_${afterMs}_${warm}`
      const store = postgresStore(server.url, { table, poolSize })
      if (warm) await store.get('key')
      const writes = Array.from({ length: calls }, (_, index) => store.set(`key ${index}`, value))
      if (afterMs > 0) await sleep(afterMs)
      const closed = store.close()
      await expect(store.set('late', value)).rejects.toThrow(/has been closed/)
      await expect(Promise.all(writes)).resolves.toHaveLength(calls)
      await closed
      expect(await list(open({ table }), '')).toHaveLength(calls)
    })

    test('closing a store on a pool that was handed in waits for what has begun as well', async () => {
      const pool = new pg.Pool({ connectionString: server.url, max: 1 })
      const store = postgresStore(pool)
      const writes = Array.from({ length: 5 }, () => store.set('key', value))
      await store.close()
      await pool.end()
      await expect(Promise.all(writes)).resolves.toHaveLength(5)
    })

    test('nothing is loaded or connected before the first use', async () => {
      const store = open({ port: 1, table: 'unused' })
      await sleep(50)
      await expect(store.close()).resolves.toBeUndefined()
    })
  })
})

async function list(store: Required<Store>, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const key of store.keys(prefix)) found.push(key)
  return found
}
