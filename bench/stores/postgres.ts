import { Pool } from 'pg'
import { postgresStore } from '../../src/stores/postgres.ts'
import { statements } from '../../src/stores/postgres/statements.ts'
import { component } from '../../test/components.ts'
import { PostgresServer } from '../../test/support/postgres-server.ts'
import { sideBySide } from '../side-by-side.ts'
import { keysInTurn, value } from './value.ts'

/**
 * Against prepared statements through a pool of the same size: the same table and index, without
 * which nothing that expires would ever be found.
 */
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
  const sql = statements('bare')
  await pool.query(sql.create.text)
  const key = keysInTurn(1_000)
  const pace = { atMost: 1.15, calls: 2_000 }
  const set = await sideBySide({
    ...pace,
    name: 'postgres set (pg)',
    bare: () => pool.query({ ...sql.set, values: [key(), 'a version of 16', value, 600_000] }),
    ours: () => store.set(key(), value, { ttl: 600 }),
  })
  const get = await sideBySide({
    ...pace,
    name: 'postgres get (pg)',
    bare: () => pool.query({ ...sql.get, values: [key()] }),
    ours: () => store.get(key()),
  })
  return [get, set]
}
