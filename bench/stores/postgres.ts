import { Pool } from 'pg'
import { postgresStore } from '../../src/stores/postgres.ts'
import { component } from '../../test/components.ts'
import { PostgresServer } from '../../test/support/postgres-server.ts'
import { sideBySide } from '../side-by-side.ts'
import { keysInTurn, value } from './value.ts'

/** Against prepared statements through a pool of the same size. */
export async function postgres(): Promise<boolean[]> {
  const server = await PostgresServer.start(component('postgresql').path)
  const pool = new Pool({ connectionString: server.url, max: 10 })
  const store = postgresStore(server.url, { poolSize: 10 })
  try {
    return await compare(pool, store)
  } finally {
    await store.close()
    await pool.end()
    await server.end()
  }
}

async function compare(pool: Pool, store: ReturnType<typeof postgresStore>): Promise<boolean[]> {
  await pool.query(
    'CREATE TABLE bare (key text COLLATE "C" PRIMARY KEY, version text, value bytea, expires_at timestamptz)',
  )
  const key = keysInTurn(1_000)
  const pace = { atMost: 1.15, calls: 2_000 }
  const set = await sideBySide({
    ...pace,
    name: 'postgres set (pg)',
    bare: () =>
      pool.query({
        name: 'set',
        text: `INSERT INTO bare (key, version, value, expires_at)
          VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond')
          ON CONFLICT (key) DO UPDATE SET version = excluded.version, value = excluded.value,
          expires_at = excluded.expires_at`,
        values: [key(), 'a version of 16', value, 600_000],
      }),
    ours: () => store.set(key(), value, { ttl: 600 }),
  })
  const get = await sideBySide({
    ...pace,
    name: 'postgres get (pg)',
    bare: () =>
      pool.query({
        name: 'get',
        text: `SELECT key, version, value FROM bare
          WHERE key = $1 AND (expires_at IS NULL OR expires_at > clock_timestamp())`,
        values: [key()],
      }),
    ours: () => store.get(key()),
  })
  return [get, set]
}
