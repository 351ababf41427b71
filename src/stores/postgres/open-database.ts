import { isPostgresClient } from './client.ts'
import type { PostgresClient } from './client.ts'
import type { PostgresDatabase } from './connection.ts'
import { PostgresPool } from './pool.ts'
import { checkTableOptions, poolSettings, postgresOptions, tableSettings } from './settings.ts'
import type { PostgresStoreOptions } from './settings.ts'

/** How to reach the database, and which table is meant. Throws a `ConfigError` for bad options. */
export function openDatabase(
  source: string | URL | PostgresStoreOptions | PostgresClient,
  options: PostgresStoreOptions,
): { open: () => Promise<PostgresDatabase>; table: string; create: boolean } {
  if (isPostgresClient(source)) {
    checkTableOptions(options)
    return { open: async () => handedIn(source), ...tableSettings(options) }
  }
  const all = postgresOptions(source, options)
  const settings = poolSettings(all)
  return { open: () => PostgresPool.open(settings), ...tableSettings(all) }
}

/** Names of statements are for pg only, and not for a pooler: it gets the text each time. */
function handedIn(client: PostgresClient): PostgresDatabase {
  return {
    run: ({ text }, values) => client.query(text, values),
    end: async () => {},
  }
}
