import { advisories, requirements } from './requirements.ts'

/**
 * `npm run requirements`: each id and the tests that hold it, then each advisory of others and the
 * tests that name it; fails for one that no test holds.
 */
const all = requirements()
for (const { id, level, text, tests } of all) {
  process.stdout.write(`\n${id} ${level}  ${text}\n`)
  for (const title of tests) process.stdout.write(`        ${title}\n`)
  if (tests.length === 0) process.stdout.write('        NO TEST\n')
}
const others = advisories()
process.stdout.write('\nAdvisories of others\n')
for (const { id, tests } of others) {
  process.stdout.write(`\n${id}\n${tests.map((title) => `        ${title}\n`).join('')}`)
}
const untested = [...all, ...others].filter(({ tests }) => tests.length === 0).map(({ id }) => id)
const known = all.length + others.length
const held = known - untested.length
process.stdout.write(`\n${held} of ${known} requirements and advisories have a test.\n`)
if (untested.length > 0) {
  process.stdout.write(`No test names: ${untested.join(', ')}\n`)
  process.exitCode = 1
}
