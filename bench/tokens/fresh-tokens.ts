import type { TestProvider } from '../../src/testing/index.ts'
import type { RunningRedis } from '../../test/support/redis-servers.ts'
import { median, report } from '../side-by-side.ts'
import { Child } from './child.ts'

const rounds = 15
const bar = 1.3
/** What is told apart by noise is not told apart (two busy cores). */
const slack = 1.3

const loads = [
  { name: 'a fresh token, one at a time', calls: 3_000, atATime: 1 },
  { name: 'a fresh token, 50 at once', calls: 20_000, atATime: 50 },
] as const

type Load = (typeof loads)[number]

/**
 * `getAccessToken()` with a valid token beside ioredis reading the same record with the same
 * command, in turns, in a process of their own. Gives whether the bars were met, and whether a call
 * is one command.
 */
export async function freshTokens(provider: TestProvider, redis: RunningRedis): Promise<boolean> {
  const { url: store, port } = redis
  const settings = { ...provider.overrides, store, port }
  const child = await Child.start(new URL('./fresh-tokens.mjs', import.meta.url), settings)
  try {
    const met: boolean[] = []
    for (const load of loads) met.push(await beside(child, load))
    console.log(`A bar is missed from ${slack} times its value on: two busy cores tell no finer.`)
    met.push(await commands(child, redis))
    return met.every(Boolean)
  } finally {
    child.stop()
  }
}

async function beside(child: Child, { name, ...load }: Load): Promise<boolean> {
  const round = (way: 'bare' | 'ours') => child.ask<number>({ way, ...load })
  const times = { bare: [] as number[], ours: [] as number[] }
  for (const way of ['bare', 'ours'] as const) await round(way)
  for (let count = 0; count < rounds; count += 1) {
    const inTurn = count % 2 === 0 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const)
    for (const way of inTurn) times[way].push(await round(way))
  }
  const ratio = median(times.ours.map((time, index) => time / times.bare[index]!))
  const microseconds = (median(times.ours) / load.calls) * 1000
  return report(name, { ratio, atMost: bar, slack, microseconds })
}

/** What Redis was asked meanwhile, as it counts itself. */
async function commands(child: Child, redis: RunningRedis): Promise<boolean> {
  const calls = 1_000
  await redis.cli('config', 'resetstat')
  await child.ask({ way: 'ours', calls, atATime: 50 })
  const stats = await redis.cli('info', 'commandstats')
  const counts = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)]
    .filter(([, name]) => name !== 'config|resetstat')
    .map(([, name, count]) => ({ name, count: Number(count) }))
  const told = counts.map(({ name, count }) => `${count} ${name}`).join(', ')
  const isOneEach = counts.reduce((sum, { count }) => sum + count, 0) === calls
  console.log(`${calls} fresh tokens asked Redis for: ${told}${isOneEach ? '' : '  MISSED'}`)
  return isOneEach
}
