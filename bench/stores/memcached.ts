import { Client } from 'memjs'
import { memcachedStore } from '../../src/stores/memcached.ts'
import { startMemcached } from '../../test/support/memcached-server.ts'
import { sideBySide } from '../side-by-side.ts'
import { keysInTurn, value } from './value.ts'

/** Against memjs, which sends a command in the binary protocol; ours also asks what was cleared. */
export async function memcached(): Promise<boolean[]> {
  const server = await startMemcached()
  const client = Client.create(server.address)
  const store = memcachedStore(server.url)
  const key = keysInTurn(1_000)
  const set = {
    bare: () => client.set(key(), value, { expires: 600 }),
    ours: () => store.set(key(), value, { ttl: 600 }),
  }
  const get = { bare: () => client.get(key()), ours: () => store.get(key()) }
  // Alone a command brings two more along, that ask what was cleared; together they share these.
  const alone = { atMost: 1.3, atATime: 1, calls: 1_000 }
  try {
    return [
      await sideBySide({ ...set, name: 'memcached set (memjs)', atMost: 1.15 }),
      await sideBySide({ ...get, name: 'memcached get (memjs)', atMost: 1.15 }),
      await sideBySide({ ...set, ...alone, name: 'memcached set, one at a time (memjs)' }),
      await sideBySide({ ...get, ...alone, name: 'memcached get, one at a time (memjs)' }),
    ]
  } finally {
    await store.close()
    client.close()
    await server.close()
  }
}
