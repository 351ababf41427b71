/** Expired rows go a few at a time, so that no write waits for a big clean-up. */
const rowsPerSweep = 32

/** The SQL for one table; its name must have been checked, because it becomes part of the text. */
export type SqliteStatements = ReturnType<typeof sqliteStatements>

/**
 * A value of more than some size lies in a table beside, under the version of its row, which then
 * has the value's size instead: listing, sweeping and a new lifetime do not touch it. (To behalf
 * 0.1, which knows no such table, the row is a miss.) Triggers delete it with its row, or when
 * that has another version, whoever does it.
 *
 * The dot keeps all that belongs to a table apart from any name that the option `table` can hold.
 */
export function sqliteStatements(name: string) {
  const [table, bodies] = [`"${name}"`, `"${name}.bodies"`]
  // What something else than behalf has written is absent.
  const live = `(expires_at IS NULL OR expires_at > ?) AND typeof(${table}.version) = 'text' AND
    (typeof(value) = 'blob' OR ${table}.version IN (SELECT version FROM ${bodies}))`
  const upsert = `INSERT INTO ${table} (key, version, value, expires_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET
    version = excluded.version, value = excluded.value, expires_at = excluded.expires_at`
  const withOldBody = `WHEN typeof(old.value) <> 'blob'
    BEGIN DELETE FROM ${bodies} WHERE version = old.version; END`
  const page = (from: string) =>
    `SELECT key, ${live} AS live FROM ${table} WHERE key ${from} ? ORDER BY key LIMIT ?`
  return {
    create: [
      // The value is last: what stands behind a long one costs reading all of it.
      `CREATE TABLE IF NOT EXISTS ${table}
        (key TEXT PRIMARY KEY NOT NULL, version TEXT NOT NULL, expires_at INTEGER, value BLOB NOT NULL)`,
      `CREATE TABLE IF NOT EXISTS ${bodies} (version TEXT PRIMARY KEY NOT NULL, body BLOB NOT NULL)`,
      `CREATE INDEX IF NOT EXISTS "${name}.expires_at" ON ${table} (expires_at) WHERE expires_at IS NOT NULL`,
      `CREATE TRIGGER IF NOT EXISTS "${name}.deleted" AFTER DELETE ON ${table} ${withOldBody}`,
      `CREATE TRIGGER IF NOT EXISTS "${name}.replaced" AFTER UPDATE OF version ON ${table} ${withOldBody}`,
    ],
    get: `SELECT value, version, expires_at FROM ${table} WHERE key = ? AND ${live}`,
    getWithBody: `SELECT coalesce(body, value) AS value, ${table}.version AS version FROM ${table}
      LEFT JOIN ${bodies} USING (version) WHERE key = ? AND ${live}`,
    expiresAt: `SELECT expires_at FROM ${table} WHERE key = ? AND ${live}`,
    set: upsert,
    setBody: `INSERT INTO ${bodies} (version, body) VALUES (?, ?)`,
    insert: `${upsert} WHERE NOT (${live})`,
    update: `UPDATE ${table} SET version = ?, value = ?, expires_at = ? WHERE key = ? AND version = ? AND ${live}`,
    recount: `UPDATE ${table} SET version = ?, value = ? WHERE key = ?`,
    expire: `UPDATE ${table} SET expires_at = ? WHERE key = ? AND ${live}`,
    remove: `DELETE FROM ${table} WHERE key = ?`,
    delete: `DELETE FROM ${table} WHERE key = ? AND ${live}`,
    compareAndDelete: `DELETE FROM ${table} WHERE key = ? AND version = ? AND ${live}`,
    sweep: `DELETE FROM ${table} WHERE rowid IN
      (SELECT rowid FROM ${table} WHERE expires_at <= ? ORDER BY expires_at LIMIT ${rowsPerSweep})`,
    keysFrom: page('>='),
    keysAfter: page('>'),
  }
}
