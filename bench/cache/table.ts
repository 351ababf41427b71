import type { BenchPlace } from '../cache.ts'
import { inTurns, ratioOf, type Settings, type Taken } from './rounds.ts'

/** One column: who takes part, and how much of the first one's time ours may take. */
interface Column {
  readonly name: string
  readonly path: string
  readonly isNew?: boolean
  readonly atATime: number
  readonly store?: 'redis' | 'sqlite' | 'file'
  /** Most of the time is the API's: what a caller waits for is told, too. */
  readonly waits?: boolean
  /** The floor first. */
  readonly contestants: readonly string[]
  readonly bars: Readonly<Record<string, number>>
}

/** What is told apart by noise is not told apart. */
const slack = 1.3

const inMemory = ['map', 'map-json', 'behalf', 'behalf-json', 'behalf-grant', 'undici', 'axios']
const ofUpstream = ['behalf', 'behalf-grant', 'undici', 'axios', 'make-fetch-happen']

const columns: readonly Column[] = [
  {
    name: 'hit 2 KB',
    path: '/2k',
    atATime: 1,
    contestants: inMemory,
    bars: { behalf: 1.25, 'behalf-json': 0.6 },
  },
  {
    name: 'hit 2 KB, 50 at once',
    path: '/2k',
    atATime: 50,
    contestants: inMemory,
    bars: { behalf: 1.25, 'behalf-json': 0.6 },
  },
  {
    name: 'hit 64 KB',
    path: '/64k',
    atATime: 1,
    contestants: inMemory,
    bars: { behalf: 1.05, 'behalf-json': 0.95 },
  },
  {
    name: 'Redis hit 2 KB, 50 at once',
    path: '/2k',
    atATime: 50,
    store: 'redis',
    contestants: ['ioredis', 'behalf', 'behalf-json', 'behalf-grant'],
    bars: { 'behalf-json': 1.35 },
  },
  {
    name: 'SQLite hit 2 KB',
    path: '/2k',
    atATime: 1,
    store: 'sqlite',
    contestants: ['select', 'behalf', 'behalf-json'],
    bars: { 'behalf-json': 1.5 },
  },
  {
    name: 'file hit 2 KB',
    path: '/2k',
    atATime: 1,
    store: 'file',
    contestants: ['make-fetch-happen', 'behalf', 'behalf-json'],
    bars: { behalf: 0.3 },
  },
  {
    name: 'miss 2 KB',
    path: '/2k',
    isNew: true,
    atATime: 1,
    waits: true,
    contestants: ['fetch', ...ofUpstream],
    bars: { behalf: 1.1 },
  },
  {
    name: '304',
    path: '/asked',
    atATime: 1,
    waits: true,
    contestants: ['if-none-match', 'fetch', ...ofUpstream],
    bars: { behalf: 1.15 },
  },
]

/** CPU time a call, beside the floor of each column. */
export async function table(place: BenchPlace): Promise<boolean> {
  const names = process.argv.slice(3).filter((name) => name !== 'table')
  const met: boolean[] = []
  for (const column of columns) {
    if (names.length > 0 && !names.some((name) => column.name.includes(name))) continue
    if (column.store === 'redis' && !place.redis) continue
    met.push(await measured(column, place))
  }
  return met.every(Boolean)
}

async function measured(column: Column, place: BenchPlace): Promise<boolean> {
  const { path, isNew = false, atATime, contestants } = column
  const { upstream } = place
  const settings: Settings = {
    origin: upstream.origin,
    path,
    isNew,
    atATime,
    store: storeOf(column, place),
    folder: place.folder,
  }
  const beside = new Map<string, number>()
  const taken = await inTurns(contestants, settings, async (name, round) => {
    const before = await countedOf(column, place)
    const calls = await round()
    beside.set(name, ((await countedOf(column, place)) - before) / calls)
  })
  console.log(column.name)
  const floor = taken.get(contestants[0]!)!
  return [...taken.values()]
    .map((one) => told(column, one, floor, beside.get(one.name)!))
    .every(Boolean)
}

function told(
  { bars, store, path, waits }: Column,
  one: Taken,
  floor: Taken,
  counted: number,
): boolean {
  const { ratio, least, most } = ratioOf(one, floor)
  const bar = bars[one.name]
  const isMet = bar === undefined || ratio <= bar * slack
  const time = one.microseconds.toSorted((a, b) => a - b)[Math.floor(one.microseconds.length / 2)]!
  const each = store === 'redis' ? 'commands a call' : path === '/asked' ? '304s a call' : undefined
  console.log(
    [
      `  ${one.name}`.padEnd(22),
      `${time.toFixed(1)} µs`.padStart(12),
      `${ratio.toFixed(2)} x`.padStart(10),
      ` (${least.toFixed(2)}-${most.toFixed(2)})`.padEnd(16),
      waits ? `${ratioOf(one, floor, 'elapsed').ratio.toFixed(2)} x as its caller waits  ` : '',
      bar === undefined ? '' : `bar ${bar} x${isMet ? '' : ' MISSED'}  `,
      each ? `${counted.toFixed(2)} ${each}` : '',
    ].join(''),
  )
  return isMet
}

function storeOf({ store }: Column, { folder, redis }: BenchPlace): string {
  if (store === undefined) return 'memory:'
  if (store === 'redis') return redis!.url
  return store === 'sqlite' ? `sqlite:${folder}/bench.sqlite` : `file:${folder}/bench`
}

/** What is counted of a column beside its time: commands of Redis, or 304s. */
async function countedOf({ store }: Column, { upstream, redis }: BenchPlace): Promise<number> {
  if (store !== 'redis') return upstream.seen.notModified
  const lines = (await redis!.cli('INFO', 'commandstats')).matchAll(/cmdstat_(\w+):calls=(\d+)/g)
  return [...lines]
    .filter(([, name]) => name !== 'info')
    .reduce((sum, [, , calls]) => sum + Number(calls), 0)
}
