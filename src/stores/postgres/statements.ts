import { createHash } from 'node:crypto'

/** One SQL statement, and the name under which a connection may keep it prepared. */
export interface PostgresStatement {
  text: string
  /** Made of the text, so that sessions shared by a pooler never take one for another. */
  name: string
}

/** All that a store asks of its table. */
export type PostgresStatements = Readonly<Record<keyof ReturnType<typeof texts>, PostgresStatement>>

/** `table` must be a quoted identifier: it becomes part of the SQL. */
export function statements(table: string): PostgresStatements {
  const named = Object.entries(texts(table)).map(([operation, text]) => [
    operation,
    { text, name: `behalf_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}` },
  ])
  return Object.fromEntries(named) as PostgresStatements
}

/** Expired rows go a few at a time; more than writes bring along, so that none pile up. */
const rowsPerSweep = 32
const rowsPerClear = 500
const rowsPerPage = 1000

/**
 * `clock_timestamp()` moves on while a statement waits for a lock; `statement_timestamp()` is the
 * same throughout a statement, and an index can be searched with it.
 */
function texts(table: string) {
  const live = liveAt('clock_timestamp()')
  const columns = '(key, version, value, expires_at)'
  const replace = `ON CONFLICT (key) DO UPDATE SET
    version = excluded.version, value = excluded.value, expires_at = excluded.expires_at`
  const set = `INSERT INTO ${table} AS stored ${columns} VALUES ($1, $2, $3, ${instant('$4')}) ${replace}`
  // The app may have made the table, with a collation that is not the order of bytes.
  const byBytes = 'key COLLATE "C"'
  const inRange = `${byBytes} >= $1 AND ${byBytes} < $2`
  // The second condition is that of the index, which is not searched without it.
  const expired = `expires_at <= statement_timestamp() AND expires_at < 'infinity'`
  return {
    exists: 'SELECT to_regclass($1) IS NOT NULL AS found',
    create: `DO $$ BEGIN
      CREATE TABLE ${table} (key text COLLATE "C" PRIMARY KEY, version text NOT NULL,
        value bytea NOT NULL, expires_at timestamptz NOT NULL);
      CREATE INDEX ON ${table} (expires_at) WHERE expires_at < 'infinity';
    END $$`,
    get: `SELECT value, version FROM ${table} AS stored WHERE key = $1 AND ${live}`,
    getMany: `SELECT key, value, version FROM ${table} AS stored
      WHERE key = ANY($1::text[]) AND ${live}`,
    set,
    insert: `${set} WHERE (${live}) IS NOT TRUE`,
    update: `UPDATE ${table} AS stored SET version = $2, value = $3, expires_at = ${instant('$4')}
      WHERE key = $1 AND version = $5 AND ${live}`,
    // In the order of the keys, so that two of these never wait for each other's rows.
    setMany: `INSERT INTO ${table} ${columns}
      SELECT key, version, decode(value, 'hex'), ${instant('$4')}
      FROM unnest($1::text[], $2::text[], $3::text[]) AS entry (key, version, value)
      ORDER BY ${byBytes} ${replace}`,
    remove: `DELETE FROM ${table} WHERE key = $1`,
    delete: `DELETE FROM ${table} AS stored WHERE key = $1 AND ${live}`,
    compareAndDelete: `DELETE FROM ${table} AS stored WHERE key = $1 AND version = $2 AND ${live}`,
    deleteMany: `DELETE FROM ${table} WHERE key = ANY(ARRAY(SELECT key FROM ${table} AS stored
      WHERE key = ANY($1::text[]) AND ${live} ORDER BY ${byBytes} FOR UPDATE))`,
    increment: increment(table, columns),
    ttl: `SELECT CASE WHEN expires_at < 'infinity'
      THEN extract(epoch FROM expires_at - clock_timestamp())::float8 END AS seconds
      FROM ${table} AS stored WHERE key = $1 AND ${live}`,
    expire: `UPDATE ${table} AS stored SET expires_at = ${instant('$2')} WHERE key = $1 AND ${live}`,
    page: `SELECT key FROM ${table} AS stored WHERE ${inRange} AND ${live}
      ORDER BY ${byBytes} LIMIT ${rowsPerPage}`,
    clear: `WITH gone AS (DELETE FROM ${table} WHERE key = ANY(ARRAY(SELECT key FROM ${table}
      WHERE ${inRange} ORDER BY ${byBytes} LIMIT ${rowsPerClear} FOR UPDATE)) RETURNING key)
      SELECT max(${byBytes}) AS last FROM gone`,
    sweep: `DELETE FROM ${table} WHERE ${expired} AND key = ANY(ARRAY(SELECT key FROM ${table}
      WHERE ${expired} ORDER BY expires_at LIMIT ${rowsPerSweep} FOR UPDATE SKIP LOCKED))`,
  }
}

/** The columns cannot be null in a table of ours; the app may have made its own. */
function liveAt(now: string): string {
  return `stored.expires_at > ${now} AND stored.version IS NOT NULL AND stored.value IS NOT NULL`
}

/** `lives` is a parameter in milliseconds, null for ever. */
function instant(lives: string): string {
  return `COALESCE(clock_timestamp() + ${lives}::float8 * interval '1 millisecond', 'infinity')`
}

/** Gives no row where the value or the sum is no safe integer. */
function increment(table: string, columns: string): string {
  // In this form no bytes are refused, and what is not ASCII has a backslash.
  const digits = `encode(substr(stored.value, 1, 18), 'escape')`
  const count = `CASE WHEN ${digits} ~ '^-?[0-9]{1,16}$' THEN ${digits}::bigint END`
  const safe = `BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}`
  const live = `(${liveAt('statement_timestamp()')}) IS TRUE`
  return `INSERT INTO ${table} AS stored ${columns}
    VALUES ($1, $2, convert_to(($3::bigint)::text, 'UTF8'), ${instant('$4')})
    ON CONFLICT (key) DO UPDATE SET version = excluded.version,
      value = CASE WHEN ${live} THEN convert_to((${count} + $3::bigint)::text, 'UTF8')
        ELSE excluded.value END,
      expires_at = CASE WHEN ${live} THEN stored.expires_at ELSE excluded.expires_at END
    WHERE NOT ${live} OR (${count} ${safe} AND ${count} + $3::bigint ${safe})
    RETURNING convert_from(value, 'UTF8') AS sum`
}
