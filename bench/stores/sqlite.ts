import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { SqliteClient } from '../../src/stores/sqlite.ts'
import { sqliteStatements } from '../../src/stores/sqlite/statements.ts'
import { sideBySide } from '../side-by-side.ts'
import { keysInTurn, value } from './value.ts'

const require = createRequire(import.meta.url)

/**
 * Against prepared statements of the driver on a file of its own: the same table and index, without
 * which nothing that expires would ever be found, WAL and synchronous NORMAL.
 */
export async function sqlite(): Promise<boolean[]> {
  const folder = mkdtempSync(join(tmpdir(), 'behalf-bench-'))
  const Database = require('libsql') as new (path: string) => SqliteClient
  const database = new Database(join(folder, 'bare.sqlite'))
  const store = sqliteStore(join(folder, 'ours.sqlite'), { driver: 'libsql' })
  try {
    return await compare(database, store)
  } finally {
    database.close()
    await store.close()
    rmSync(folder, { recursive: true })
  }
}

async function compare(
  database: SqliteClient,
  store: ReturnType<typeof sqliteStore>,
): Promise<boolean[]> {
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = NORMAL')
  const sql = sqliteStatements('bare')
  for (const statement of sql.create) database.exec(statement)
  const select = database.prepare(sql.get)
  const upsert = database.prepare(sql.set)
  const key = keysInTurn(1_000)
  const pace = { atMost: 1.5, atATime: 1, calls: 5_000 }
  const set = await sideBySide({
    ...pace,
    name: 'sqlite set (libsql)',
    bare: async () => upsert.run(key(), 'a version of 16', value, Date.now() + 600_000),
    ours: () => store.set(key(), value, { ttl: 600 }),
  })
  const get = await sideBySide({
    ...pace,
    name: 'sqlite get (libsql)',
    bare: async () => select.all(key(), Date.now()),
    ours: () => store.get(key()),
  })
  return [get, set]
}
