import { ConfigError } from '../../errors.ts'
import { decoded, parseStoreUrl, queryOptions } from '../store-url.ts'
import type { PostgresStoreOptions } from './settings.ts'

/**
 * Reads the options in a `postgres://` or `postgresql://` URL. Of the names that other tools put
 * into one, only `sslmode` is taken. Throws a `ConfigError` for what cannot be read.
 */
export function postgresUrlOptions(url: string | URL): PostgresStoreOptions {
  const { scheme, username, password, hosts, path, query } = parseStoreUrl(url)
  if (path.includes('@')) {
    // Else a password with a slash would make its user's name the host.
    throw new ConfigError(
      'The URL of a PostgreSQL store has an @ after its host. Percent-encode what is special in a ' +
        'name or a password (/ as %2F, @ as %40).',
    )
  }
  if (!/^postgres(?:ql)?$/.test(scheme) || hosts.length > 1 || !/^(?:\/[^/]*)?$/.test(path)) {
    throw new ConfigError(
      'The URL of a PostgreSQL store must be postgres://user:password@host:port/database, with one host.',
    )
  }
  const { sslmode, ...named } = queryOptions(query, kinds)
  return {
    ...hosts[0],
    user: username,
    password,
    database: decoded(path.slice(1)) || undefined,
    tls: encrypts(sslmode),
    ...named,
  }
}

const kinds = {
  host: 'text',
  port: 'number',
  database: 'text',
  user: 'text',
  password: 'text',
  tls: 'boolean',
  sslmode: 'text',
  poolSize: 'number',
  connectTimeout: 'number',
  commandTimeout: 'number',
  table: 'text',
  schema: 'text',
  createTable: 'boolean',
} as const

/** libpq's name for it; what would fall back to plain text, or trust anybody, is refused. */
function encrypts(sslmode: string | undefined): boolean | undefined {
  if (sslmode === undefined) return undefined
  if (sslmode === 'disable') return false
  if (/^(?:require|verify-ca|verify-full)$/.test(sslmode)) return true
  throw new ConfigError(
    'sslmode in the URL of a PostgreSQL store must be disable, require, verify-ca or verify-full; ' +
      'all but disable verify the certificate.',
  )
}
