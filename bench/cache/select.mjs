import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** The least that any cache in SQLite does. */
export async function open({ store }) {
  const Database = require('libsql')
  const database = new Database(`${store.slice('sqlite:'.length)}-bare`)
  database.exec('CREATE TABLE IF NOT EXISTS texts (url TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID')
  const select = database.prepare('SELECT text FROM texts WHERE url = ?')
  const insert = database.prepare('INSERT OR REPLACE INTO texts VALUES (?, ?)')
  const get = async (url) => {
    const found = select.get(url)
    if (found) return JSON.parse(found.text)
    const text = await (await fetch(url)).text()
    insert.run(url, text)
    return JSON.parse(text)
  }
  return { get }
}
