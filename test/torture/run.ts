// npm run torture [stores [backend...] | logins | abandoned | logouts | tokens [part...] | cache [part...]]: the long form of what npm test does in
// short; ends with 1 when anything cannot be.
//
// stores: four processes x 25,000 mixed calls and 200 recorded histories for each store.
// logins: 1,000 browsers x 5 tabs in any order, and 100 callbacks that come 20 times at once.
// abandoned: 100,000 logins that nobody finishes; memory is as it was.
// logouts: 10,000 interleavings of a logout with refreshes and late saves of the session.
// tokens: what processes that share tokens present, on Redis, SQLite and files; its parts are expiries
//   (50, each with 200 calls of four processes at once), clocks (the same, 5 s apart), stopped and
//   lost (200 stops before and after sending), slow, kills (100 at each mark: hours), down; and, of
//   whole apps, rolling (restarts and a new secret), places (tokens in sessions and cookies), outage
//   (10 s) and subjects (100,000 calls). A name that begins like a store takes this store only.
//   TORTURE_EXPIRIES, TORTURE_STOPS, TORTURE_KILLS, TORTURE_CALLS, TORTURE_CLOCKS change how much;
//   TORTURE_MARKS='sent,before take' takes these marks only.
//
// cache: what a response cache gives to whom. Its parts are leaks (a million random requests of 100
//   users, on memory, Redis, SQLite and files, some with memory before the store), lies (a store that
//   gives back other values than it was asked for), stampede (10,000 callers of four processes who ask
//   for the same), outage (a Redis that is killed for 10 s and stopped for 30 s under 500 requests a
//   second, beside the API without a cache) and growth (100,000 different calls).
//   TORTURE_REQUESTS, TORTURE_CALLERS, TORTURE_RATE, TORTURE_CALLS change how much.
//
// Logins and logouts print their seed; TORTURE_SEED does the same once more. An interleaving that went
// wrong is done by itself with TORTURE_FIRST=<its number> and TORTURE_INTERLEAVINGS=1.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { abandonLogins } from './abandoned-logins.ts'
import { tortureBackends } from './backends.ts'
import { cacheRuns } from './cache-torture.ts'
import { tortureLogins } from './login-torture.ts'
import { tortureLogouts } from './logout-torture.ts'
import { tortureStore } from './store-torture.ts'
import { killMarks } from './token-kills.ts'
import type { Mark } from './token-marks.ts'
import { type TokenRun, tokenRuns } from './token-torture.ts'

const processes = 4
const operations = Number(process.env['TORTURE_OPERATIONS'] ?? 25_000)
const histories = Number(process.env['TORTURE_HISTORIES'] ?? 200)
const browsers = Number(process.env['TORTURE_BROWSERS'] ?? 1_000)
const interleavings = Number(process.env['TORTURE_INTERLEAVINGS'] ?? 10_000)
const first = Number(process.env['TORTURE_FIRST'] ?? 0)
const seed = process.env['TORTURE_SEED'] ?? randomBytes(6).toString('hex')

const subjects: Record<string, (names: readonly string[]) => Promise<boolean>> = {
  stores,
  logins,
  abandoned,
  logouts,
  tokens,
  cache,
}
const [subject = 'stores', ...names] = process.argv.slice(2)
const run = subjects[subject]
if (!run) {
  const known = Object.keys(subjects).join(', ')
  console.error(`There is no torture ${subject}; there is: ${known}.`)
  process.exit(2)
}
process.exitCode = (await run(names)) ? 0 : 1

async function stores(wanted: readonly string[]): Promise<boolean> {
  let failed = false
  for (const { name, start } of tortureBackends()) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    const backend = await start()
    try {
      failed = !(await torture(name, backend.url)) || failed
    } finally {
      await backend.close()
    }
  }
  return !failed
}

async function logins(): Promise<boolean> {
  const tabs = 5
  const line = progressLine(`logins, seed ${seed}`, browsers * tabs, 'logins')
  const options = { seed, browsers, tabs, repeated: 100, progress: () => line.more(1) }
  const { succeeded, wrong } = await tortureLogins(options)
  line.end(`, ${succeeded} succeeded, 100 callbacks sent 20 times at once`)
  return verdict(wrong) && succeeded === browsers * tabs
}

async function abandoned(): Promise<boolean> {
  const count = 100_000
  const line = progressLine('abandoned', count, 'logins')
  const { bytesEach, entries } = await abandonLogins(count, () => line.more(1_000, true))
  line.end(`, ${bytesEach.toFixed(1)} bytes of heap left of each, ${entries} entries`, count)
  const isClean = bytesEach < 50 && entries === 0
  return verdict(isClean ? [] : ['memory is not as it was'])
}

async function logouts(): Promise<boolean> {
  const line = progressLine(`logouts, seed ${seed}`, interleavings, 'interleavings')
  const options = { seed, interleavings, first, progress: () => line.more(1) }
  const { loggedOut, refreshes, orders, wrong } = await tortureLogouts(options)
  line.end(`, ${loggedOut} logged out, ${refreshes} refreshes, ${orders} different orders`)
  return verdict(wrong)
}

async function tokens(wanted: readonly string[]): Promise<boolean> {
  // Processes that were stopped would not notice that this one is gone.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  // A disk that takes its time to sync would look like a process that stands still.
  if (existsSync('/dev/shm')) process.env['TMPDIR'] ??= '/dev/shm'
  const runs = tokenRuns({
    expiries: numberOf('TORTURE_EXPIRIES', 50),
    stops: numberOf('TORTURE_STOPS', 200),
    kills: numberOf('TORTURE_KILLS', 100),
    marks: wantedMarks(process.env['TORTURE_MARKS']),
    calls: numberOf('TORTURE_CALLS', 100_000),
    clocks: numberOf('TORTURE_CLOCKS', 5),
    trouble: 10,
  })
  return runAll(runs, wanted)
}

async function cache(wanted: readonly string[]): Promise<boolean> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  if (existsSync('/dev/shm')) process.env['TMPDIR'] ??= '/dev/shm'
  const extent = {
    seed,
    requests: numberOf('TORTURE_REQUESTS', 1_000_000),
    callers: numberOf('TORTURE_CALLERS', 10_000),
    rate: numberOf('TORTURE_RATE', 500),
    calls: numberOf('TORTURE_CALLS', 100_000),
  }
  console.log(`cache, seed ${seed}`)
  return runAll(cacheRuns(extent), wanted)
}

/** Those that are wanted: by part, by the beginning of their name, or all. */
async function runAll(runs: readonly TokenRun[], wanted: readonly string[]): Promise<boolean> {
  const parts = new Set(runs.map(({ part }) => part))
  const wantedParts = wanted.filter((name) => parts.has(name))
  const wantedStores = wanted.filter((name) => !parts.has(name))
  const isWanted = ({ part, name }: TokenRun) =>
    (wantedParts.length === 0 || wantedParts.includes(part)) &&
    (wantedStores.length === 0 || wantedStores.some((store) => name.startsWith(store)))
  let right = true
  for (const one of runs.filter(isWanted)) {
    const line = progressLine(`${one.part}, ${one.name}`, one.total, one.unit)
    const { figures, wrong } = await one.run((more) => line.more(more, true))
    const counted = Object.entries(figures).map(([what, count]) => `${count} ${what}`)
    line.end(` (${counted.join(', ')})`, one.total)
    right = verdict(wrong) && right
  }
  return right
}

/** Throws a `RangeError` for one that there is not. */
function wantedMarks(list: string | undefined): readonly Mark[] | undefined {
  return list?.split(',').map((name) => {
    const known = killMarks.find((mark) => mark === name.trim())
    if (known === undefined) throw new RangeError(`no mark ${name}; there are ${killMarks.join()}`)
    return known
  })
}

function numberOf(variable: string, usual: number): number {
  return Number(process.env[variable] ?? usual)
}

/** A line that counts what is done. */
function progressLine(what: string, total: number, unit: string) {
  const startedAt = performance.now()
  let done = 0
  const write = (end: string) => {
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    process.stdout.write(`\r${what}: ${done} of ${total} ${unit}, ${seconds} s${end}`)
  }
  return {
    more: (by: number, often = false) => {
      done += by
      if (often || done % 100 === 0) write('')
    },
    /** Progress is told in rough steps; `count` is how many it were. */
    end: (result: string, count = done) => {
      done = count
      write(result)
    },
  }
}

function verdict(wrong: readonly string[]): boolean {
  console.log(wrong.length === 0 ? ': nothing wrong' : `: ${wrong.length} WRONG`)
  for (const one of wrong.slice(0, 20)) console.log(`  ${one}`)
  return wrong.length === 0
}

async function torture(name: string, url: string): Promise<boolean> {
  const line = progressLine(name, processes * operations, 'calls')
  const result = await tortureStore(url, { processes, operations, histories, progress: line.more })
  line.end(`, ${result.leasesHeld} leases held, ${result.histories} histories`, result.operations)
  return verdict(result.wrong)
}
