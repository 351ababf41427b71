import { fileStore } from '../../src/stores/file.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'

/**
 * Adds 1 as often as the third argument says to two counters in the store at the second, one by
 * compareAndSwap and one by increment.
 */
const [backend = '', path = '', times = ''] = process.argv.slice(2)
const store =
  backend === 'file'
    ? fileStore({ path, fsync: false, lockTimeout: 30 })
    : sqliteStore(path, { driver: 'libsql' })
for (let done = 0; done < Number(times);) {
  const found = await store.get('counter')
  const count = found ? Number(Buffer.from(found.value).toString()) : 0
  const next = Buffer.from(String(count + 1))
  if (!(await store.compareAndSwap('counter', found?.version, next))) continue
  await store.increment?.('incremented', 1)
  done += 1
}
await store.close()
