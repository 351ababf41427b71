import { component } from '../test/components.ts'
import { dynamodb } from './stores/dynamodb.ts'
import { memcached } from './stores/memcached.ts'
import { memory } from './stores/memory.ts'
import { mongodb } from './stores/mongodb.ts'
import { postgres } from './stores/postgres.ts'
import { redis } from './stores/redis.ts'
import { sqlite } from './stores/sqlite.ts'

const backends: ReadonlyArray<{ needs?: string; bench: () => Promise<boolean[]> }> = [
  { bench: memory },
  { bench: sqlite },
  { needs: 'redis-server', bench: redis },
  { needs: 'postgresql', bench: postgres },
  { needs: 'memcached', bench: memcached },
  { bench: mongodb },
  { bench: dynamodb },
]

/** Every store that can run here against its bare driver; gives whether all bars were met. */
export async function run(): Promise<boolean> {
  const met: boolean[] = []
  for (const { needs, bench } of backends) {
    if (needs && !component(needs).present) continue
    met.push(...(await bench()))
  }
  return met.every(Boolean)
}
