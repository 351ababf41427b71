import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/errors.ts'
import { isPostgresClient, postgresStore } from '../../../src/stores/postgres.ts'
import type { PostgresClient, PostgresStoreOptions } from '../../../src/stores/postgres.ts'
import { hostileRows } from '../../hostile.ts'

describe('options', () => {
  const refused: ReadonlyArray<PostgresStoreOptions & Record<string, unknown>> = [
    { host: '' },
    { host: 1 as never },
    { port: 0 },
    { port: 5432.5 },
    { port: 65_536 },
    { database: '' },
    { user: '' },
    { password: 1 as never },
    { tls: 'require' as never },
    { tls: null as never },
    { poolSize: 0 },
    { poolSize: 1.5 },
    { connectTimeout: -1 },
    { commandTimeout: Number.NaN },
    { commandTimeout: '2' as never },
    { createTable: 'no' as never },
    { schema: 'a.b' },
    { table: '' },
    { url: 'mysql://tester@localhost/x' },
  ]
  test.each(refused)('%j is refused', (options) => {
    expect(() => postgresStore({}, options)).toThrow(ConfigError)
    expect(() => postgresStore(options)).toThrow(ConfigError)
  })

  test.each(hostileRows('storeConfig'))('the table of $id is refused', ({ input }) => {
    const { tableOrNamespace: table } = input as { tableOrNamespace: string }
    expect(() => postgresStore({ table })).toThrow(ConfigError)
    expect(() => postgresStore({ schema: table })).toThrow(ConfigError)
  })

  test.each([undefined, null, 42, true])('the source %j is refused', (source) => {
    expect(() => postgresStore(source as never)).toThrow(ConfigError)
  })

  test.each([
    'http://u:pw-5ecret@h/d',
    'postgres://u:pw-5ecret@h/d/e',
    'postgres://u:pw-5ecret@h,i/d',
    'postgres://u:pw-5ecret@h:99999/d',
    'postgres://u:pw-5ecret@h/d?pw-5ecret=1',
    'postgres://u:pw-5ecret@h/d?sslmode=prefer',
    'postgres://u:pw-5ecret@h/d?poolSize=pw-5ecret',
    'postgres://u:pw-5ecret@h/d?table=pw-5ecret',
    'postgres://u:pw-5ecret%ZZ@h/d',
    'postgres://u:pw-5ecret@h/%ZZ',
    'postgres://user:12/pw-5ecret@h',
    'postgres://user:12/34/pw-5ecret@h/d',
  ])('ST-12 %s is refused, and the message does not repeat the password', (url) => {
    const attempt = () => postgresStore(url)
    expect(attempt).toThrow(ConfigError)
    expect(attempt).not.toThrow(/5ecret/)
  })

  test('options about a connection are refused beside a client that was handed in', () => {
    const client: PostgresClient = { query: async () => ({ rows: [], rowCount: 0 }) }
    expect(() => postgresStore(client, { commandTimeout: 1 })).toThrow(ConfigError)
    expect(() => postgresStore(client, { table: 'mine', commandTimeout: undefined })).not.toThrow()
  })

  test('a client is told from other things', () => {
    expect(isPostgresClient(new pg.Pool())).toBe(true)
    expect(isPostgresClient(new pg.Client())).toBe(true)
    for (const other of [undefined, null, 'postgres://h', new URL('postgres://h'), {}]) {
      expect(isPostgresClient(other)).toBe(false)
    }
  })
})
