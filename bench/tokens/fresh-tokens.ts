import type { TestProvider } from '../../src/testing/index.ts'
import type { RunningRedis } from '../../test/support/redis-servers.ts'
import { median } from '../median.ts'
import { report } from '../side-by-side.ts'
import { Child } from './child.ts'

const rounds = 15
const bar = 1.3
/** What is told apart by noise is not told apart (two busy cores). */
const slack = 1.3

interface Load {
  calls: number
  atATime: number
}

const loads: ReadonlyArray<{ name: string; load: Load }> = [
  { name: 'a fresh token, one at a time', load: { calls: 3_000, atATime: 1 } },
  { name: 'a fresh token, 50 at once', load: { calls: 20_000, atATime: 50 } },
]
