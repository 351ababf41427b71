// npm run torture [stores [backend...]]: the long form of what npm test does in short.
// Four processes x 25,000 mixed calls and 200 recorded histories for each store; ends with 1 when
// anything cannot be.

import { tortureBackends } from './backends.ts'
import { tortureStore } from './store-torture.ts'

const processes = 4
const operations = Number(process.env['TORTURE_OPERATIONS'] ?? 25_000)
const histories = Number(process.env['TORTURE_HISTORIES'] ?? 200)

const [subject = 'stores', ...names] = process.argv.slice(2)
if (subject !== 'stores') {
  console.error(`There is no torture ${subject}; there is: stores.`)
  process.exit(2)
}

let failed = false
for (const { name, start } of tortureBackends()) {
  if (names.length > 0 && !names.includes(name)) continue
  const backend = await start()
  try {
    failed = !(await torture(name, backend.url)) || failed
  } finally {
    await backend.close()
  }
}
process.exitCode = failed ? 1 : 0

async function torture(name: string, url: string): Promise<boolean> {
  const startedAt = performance.now()
  let done = 0
  const line = (end: string) => {
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    process.stdout.write(
      `\r${name}: ${done} of ${processes * operations} calls, ${seconds} s${end}`,
    )
  }
  const progress = (more: number) => {
    done += more
    if (done % 1_000 === 0) line('')
  }
  const result = await tortureStore(url, { processes, operations, histories, progress })
  done = result.operations
  line(`, ${result.leasesHeld} leases held, ${result.histories} histories`)
  console.log(result.wrong.length === 0 ? ': nothing wrong' : `: ${result.wrong.length} WRONG`)
  for (const wrong of result.wrong.slice(0, 20)) console.log(`  ${wrong}`)
  return result.wrong.length === 0
}
