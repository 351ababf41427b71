// npm run torture [stores [backend...] | logins | logouts]: the long form of what npm test does in
// short; ends with 1 when anything cannot be.
//
// stores: four processes x 25,000 mixed calls and 200 recorded histories for each store.
// logins: 1,000 browsers x 5 tabs in any order, and 100 callbacks that come 20 times at once.
// logouts: 10,000 interleavings of a logout with refreshes and late saves of the session.
//
// The last two print their seed; TORTURE_SEED does the same once more. An interleaving that went
// wrong is done by itself with TORTURE_FIRST=<its number> and TORTURE_INTERLEAVINGS=1.

import { randomBytes } from 'node:crypto'
import { tortureBackends } from './backends.ts'
import { tortureLogins } from './login-torture.ts'
import { tortureLogouts } from './logout-torture.ts'
import { tortureStore } from './store-torture.ts'

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
  logouts,
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

async function logouts(): Promise<boolean> {
  const line = progressLine(`logouts, seed ${seed}`, interleavings, 'interleavings')
  const options = { seed, interleavings, first, progress: () => line.more(1) }
  const { loggedOut, refreshes, orders, wrong } = await tortureLogouts(options)
  line.end(`, ${loggedOut} logged out, ${refreshes} refreshes, ${orders} different orders`)
  return verdict(wrong)
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
    more: (by: number) => {
      done += by
      if (done % 100 === 0) write('')
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
