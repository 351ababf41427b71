// npm run fuzz [name...]: ten million inputs for each parser of what comes from outside, or as many as
// FUZZ_INPUTS says. FUZZ_SEED does the same once more. Ends with 1 when one of them broke anything.

import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { fuzz } from './fuzz.ts'
import { parsers } from './parsers.ts'

const inputs = Number(process.env['FUZZ_INPUTS'] ?? 10_000_000)
const seed = process.env['FUZZ_SEED'] ?? randomBytes(6).toString('hex')
const wanted = process.argv.slice(2)

process.stdout.write(`fuzz: ${inputs.toLocaleString('en')} inputs each, FUZZ_SEED=${seed}\n`)
for (const parser of parsers) {
  if (wanted.length > 0 && !wanted.some((name) => parser.name.includes(name))) continue
  const begunAt = performance.now()
  const line = (done: number) =>
    `${parser.name}: ${done.toLocaleString('en')} in ${Math.round((performance.now() - begunAt) / 1000)} s`
  const progress = (done: number) => {
    if (process.stdout.isTTY) process.stdout.write(`\r${line(done)}`)
  }
  const broken = fuzz(parser, { inputs, seed, progress })
  process.stdout.write(`${process.stdout.isTTY ? '\r' : ''}${line(inputs)}\n`)
  if (!broken) continue
  process.stdout.write(`  ${JSON.stringify(broken.input)}\n  ${inspect(broken.error)}\n`)
  process.exitCode = 1
}
