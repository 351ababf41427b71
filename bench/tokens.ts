import { component } from '../test/components.ts'
import { type RunningRedis, startRedis } from '../test/support/redis-servers.ts'
import { createTestProvider, type TestProvider } from '../src/testing/index.ts'
import { freshTokens } from './tokens/fresh-tokens.ts'
import { storm } from './tokens/storm.ts'
import { ways } from './tokens/ways.ts'

type Part = (provider: TestProvider, redis: RunningRedis) => Promise<boolean>

const parts: Readonly<Record<string, Part>> = { fresh: freshTokens, storm, ways }

/**
 * What a fresh token costs, and what 200 requests at expiry do, here and elsewhere. After
 * `npm run bench tokens` names of parts may follow. Gives whether all bars were met.
 */
export async function run(): Promise<boolean> {
  if (!component('redis-server').present) return true
  const names = process.argv.slice(3)
  const met: boolean[] = []
  for (const [name, part] of Object.entries(parts)) {
    if (names.length > 0 && !names.includes(name)) continue
    const provider = await createTestProvider()
    const redis = await startRedis()
    try {
      met.push(await part(provider, redis))
    } finally {
      await redis.close()
      await provider.close()
    }
    console.log()
  }
  return met.every(Boolean)
}
