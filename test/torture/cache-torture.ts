import { tortureBackends } from './backends.ts'
import { component } from '../components.ts'
import { startRedis } from '../support/redis-servers.ts'
import { growCache } from './cache-growth.ts'
import { type CacheLeaksOptions, tortureCacheLeaks } from './cache-leaks.ts'
import { tortureCacheOutage } from './cache-outage.ts'
import { type LeaderFate, tortureStampede } from './cache-stampede.ts'
import { outageManners } from './outage-torture.ts'
import type { TokenRun } from './token-torture.ts'

/** How much of it is done. */
export interface CacheExtent {
  seed: string
  /** Of all loads together. */
  requests: number
  /** Of a stampede, all processes together. */
  callers: number
  /** Of each second while the store is away. */
  rate: number
  /** All of them different. */
  calls: number
}

const processes = 4

type Load = Pick<CacheLeaksOptions, 'memory' | 'partition' | 'collapse' | 'lies'> & {
  /** Of all requests. */
  share: number
}

/** Each with a part of all requests, and in all its two ways. */
const loads: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  memory: {
    '': { share: 0.1, memory: false, partition: 'grant' },
    'by subject': { share: 0.1, memory: false, partition: 'subject' },
  },
  redis: {
    '': { share: 0.1, memory: false, partition: 'grant', collapse: 'store' },
    'memory before it': { share: 0.1, memory: true, partition: 'grant' },
    'memory before it, by subject': { share: 0.1, memory: true, partition: 'subject' },
  },
  sqlite: {
    '': { share: 0.1, memory: false, partition: 'grant' },
    'memory before it': { share: 0.1, memory: true, partition: 'grant', collapse: 'store' },
    'memory before it, by subject': { share: 0.1, memory: true, partition: 'subject' },
  },
  file: {
    '': { share: 0.05, memory: false, partition: 'subject' },
    'memory before it': { share: 0.05, memory: true, partition: 'grant' },
  },
}

const lies = 0.2

const lyingLoads: typeof loads = {
  memory: { '': { share: 0.03, memory: false, partition: 'grant', lies } },
  redis: { 'memory before it': { share: 0.04, memory: true, partition: 'grant', lies } },
  sqlite: { 'by subject': { share: 0.03, memory: false, partition: 'subject', lies } },
}

/** All runs; those whose server is missing are left out with a loud line. */
export function cacheRuns(extent: CacheExtent): TokenRun[] {
  return [
    ...loadRuns('leaks', loads, extent),
    ...loadRuns('lies', lyingLoads, extent),
    ...(component('redis-server').present ? redisRuns(extent) : []),
    growthRun(extent),
  ]
}

const fates: readonly LeaderFate[] = ['answered', 'aborted', 'killed', 'stopped']
/** Seconds for which the store is away, and milliseconds that it may cost meanwhile. */
const away = { killed: 10, frozen: 30, bar: 10 } as const

function redisRuns({ callers, rate }: CacheExtent): TokenRun[] {
  const stampedes = fates.map((fate) => ({
    part: 'stampede',
    name: `redis, who calls is ${fate}`,
    total: callers,
    unit: 'calls',
    async run() {
      const redis = await startRedis()
      const calls = Math.round(callers / processes)
      const stampede = tortureStampede({ url: redis.url, processes, calls, fate })
      return stampede.finally(() => redis.close())
    },
  }))
  const outages = outageManners.map((manner) => ({
    part: 'outage',
    name: `redis, ${manner} for ${away[manner]} s`,
    total: (away[manner] + 7) * rate,
    unit: 'requests',
    run: (progress?: (more: number) => void) =>
      tortureCacheOutage({ manner, seconds: away[manner], rate, bar: away.bar, progress }),
  }))
  return [...stampedes, ...outages]
}

function growthRun({ calls }: CacheExtent): TokenRun {
  return {
    part: 'growth',
    name: 'memory',
    total: calls,
    unit: 'calls',
    async run(progress) {
      const { bytesEach } = await growCache({ calls, memory: true }, progress)
      const figures = { 'bytes of heap left of each': Math.round(bytesEach) }
      return { figures, wrong: bytesEach < 50 ? [] : ['memory is not as it was'] }
    },
  }
}

function loadRuns(part: string, all: typeof loads, { seed, requests }: CacheExtent): TokenRun[] {
  const backends = [memory, ...tortureBackends()].filter(({ name }) => name in all)
  return backends.flatMap(({ name, start }) =>
    Object.entries(all[name]!).map(([manner, { share, ...load }]) => ({
      part,
      name: [name, manner].filter(Boolean).join(', '),
      total: Math.round(requests * share),
      unit: 'requests',
      async run(progress?: (more: number) => void) {
        const { url, close } = await start()
        const extent = { requests: Math.round(requests * share), progress, seed }
        const alone = name === 'memory'
        const options = { url, processes: alone ? 1 : processes, ...extent, ...load }
        return tortureCacheLeaks(options).finally(close)
      },
    })),
  )
}

const memory = {
  name: 'memory',
  start: async () => ({ url: 'memory:', close: async () => {} }),
}
