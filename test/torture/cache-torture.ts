import { tortureBackends } from './backends.ts'
import { type CacheLeaksOptions, tortureCacheLeaks } from './cache-leaks.ts'
import type { TokenRun } from './token-torture.ts'

/** How much of it is done. */
export interface CacheExtent {
  seed: string
  /** Of all loads together. */
  requests: number
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
  return [...loadRuns('leaks', loads, extent), ...loadRuns('lies', lyingLoads, extent)]
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
