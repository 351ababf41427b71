import { requirements } from './requirements.ts'

/** `npm run requirements`: each id and the tests that hold it; fails for one that no test holds. */
const all = requirements()
for (const { id, level, text, tests } of all) {
  process.stdout.write(`\n${id} ${level}  ${text}\n`)
  for (const title of tests) process.stdout.write(`        ${title}\n`)
  if (tests.length === 0) process.stdout.write('        NO TEST\n')
}
const untested = all.filter(({ tests }) => tests.length === 0).map(({ id }) => id)
const held = all.length - untested.length
process.stdout.write(`\n${held} of ${all.length} requirements have a test.\n`)
if (untested.length > 0) {
  process.stdout.write(`No test begins with: ${untested.join(', ')}\n`)
  process.exitCode = 1
}
