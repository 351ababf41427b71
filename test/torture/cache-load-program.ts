// One of several processes that share a cache; see cache-leaks.ts.

import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { CacheLoad, type CacheLoadResult, type CacheLoadSettings } from './cache-load.ts'
import { lyingStore } from './cache-lying-store.ts'

/** What a process is asked for, and what it tells. */
export type CacheLoadReply =
  | { ready: true }
  | { progress: number }
  | { result: CacheLoadResult }
  | { error: string }

/** `lies`: the part of the reads of the caches' store that go wrong. */
export type CacheLoadTask = CacheLoadSettings & { lies?: number | undefined }

const settings = JSON.parse(process.argv[2] ?? '') as CacheLoadTask
const { lies = 0, seed } = settings
const load = new CacheLoad(settings, (store) =>
  lies === 0 ? store : lyingStore(store, lies, new SeededRandom(`${seed} lies`)),
)

process.on('disconnect', () => process.exit())
process.once('message', () => {
  load
    .run((progress) => tell({ progress }))
    .then(
      (result) => tell({ result }),
      (error: unknown) => tell({ error: String(error) }),
    )
    .finally(async () => {
      await load.close()
      process.disconnect()
    })
})
await load.begin()
tell({ ready: true })

function tell(reply: CacheLoadReply): void {
  if (process.connected) process.send?.(reply)
}
