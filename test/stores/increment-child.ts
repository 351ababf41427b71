import { sqliteStore } from '../../src/stores/sqlite.ts'

/** Adds 1 as often as the second argument says to the counter in the database at the first. */
const [path = '', times = ''] = process.argv.slice(2)
const store = sqliteStore(path, { driver: 'libsql' })
for (let done = 0; done < Number(times);) {
  const found = await store.get('counter')
  const count = found ? Number(Buffer.from(found.value).toString()) : 0
  const next = Buffer.from(String(count + 1))
  if (await store.compareAndSwap('counter', found?.version, next)) done += 1
}
await store.close()
