/** What went wrong, without the driver's text: `busy` means that waiting helps. */
export interface SqliteFailure {
  busy: boolean
  what: string
}

const unusable = 'its file is damaged or not a SQLite database'
const failures: ReadonlyArray<[name: string, code: number, what: string, busy?: true]> = [
  ['SQLITE_BUSY', 5, 'its file is locked by another connection', true],
  ['SQLITE_LOCKED', 6, 'its table is locked by another connection', true],
  ['SQLITE_PROTOCOL', 15, 'its file is locked by another connection', true],
  ['SQLITE_READONLY', 8, 'its file is read-only'],
  ['SQLITE_IOERR', 10, 'its file could not be read or written'],
  ['SQLITE_CORRUPT', 11, unusable],
  ['SQLITE_FULL', 13, 'its disk is full'],
  ['SQLITE_CANTOPEN', 14, 'its file cannot be opened'],
  ['SQLITE_NOTADB', 26, unusable],
]

/** Tells the drivers' errors apart by SQLite's result code (https://sqlite.org/rescode.html). */
export function sqliteFailure(error: unknown): SqliteFailure {
  const { errcode, rawCode, code, message } = error as Record<string, unknown>
  // libsql gives no code when it cannot open, only text that ends with the number.
  const inText = /^ConnectionFailed\(.*: (\d+)"\)$/.exec(String(message))?.[1]
  const number = Number(errcode ?? rawCode ?? inText)
  const found = failures.find(
    ([name, primary]) => (number & 0xff) === primary || String(code).startsWith(name),
  )
  const [, , what = 'SQLite failed', busy = false] = found ?? []
  return { busy, what }
}
