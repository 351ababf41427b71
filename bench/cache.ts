import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { component } from '../test/components.ts'
import { type RunningRedis, startRedis } from '../test/support/redis-servers.ts'
import { type Upstream, startUpstream } from './cache/upstream.ts'
import { coldKey } from './cache/cold-key.ts'
import { bytesOfEntry } from './cache/bytes-of-entry.ts'
import { many } from './cache/many.ts'
import { separation } from './cache/separation.ts'
import { table } from './cache/table.ts'

/** What every part is given. */
export interface BenchPlace {
  readonly upstream: Upstream
  readonly folder: string
  /** `undefined` where there is none. */
  readonly redis: RunningRedis | undefined
}

const parts: Readonly<Record<string, (place: BenchPlace) => Promise<boolean>>> = {
  table,
  cold: coldKey,
  separation,
  bytes: bytesOfEntry,
  many,
}

/**
 * A cached call here and elsewhere, beside the least that any cache does. After `npm run bench cache`
 * names of parts may follow, or of the table's columns. Gives whether all bars were met.
 */
export async function run(): Promise<boolean> {
  const names = process.argv.slice(3)
  const chosen = names.some((name) => name in parts) ? names : ['table']
  const redis = component('redis-server').present ? await startRedis() : undefined
  const upstream = await startUpstream()
  const folder = mkdtempSync(join(tmpdir(), 'behalf-bench-'))
  const met: boolean[] = []
  try {
    for (const [name, part] of Object.entries(parts)) {
      if (names.length > 0 && !chosen.includes(name)) continue
      met.push(await part({ upstream, folder, redis }))
      console.log()
    }
  } finally {
    upstream.close()
    rmSync(folder, { recursive: true, force: true })
    await redis?.close()
  }
  return met.every(Boolean)
}
