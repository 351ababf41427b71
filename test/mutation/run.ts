// npm run mutation [name...]: changes the code of each concept in every small way that Stryker knows,
// and runs its tests over it. Ends with 1 where the tests notice fewer than 90 of 100 changes.

import { relative } from 'node:path'
import { Stryker } from '@stryker-mutator/core'
import { type Concept, concepts } from './concepts.ts'

const least = 90
const wanted = process.argv.slice(2)

for (const concept of concepts) {
  if (wanted.length > 0 && !wanted.includes(concept.name)) continue
  const { noticed, all, missed } = await mutate(concept)
  const percent = (100 * noticed) / all
  process.stdout.write(
    `${concept.name}: ${noticed} of ${all} changes noticed (${percent.toFixed(1)} %)\n`,
  )
  for (const one of missed) process.stdout.write(`  ${one}\n`)
  if (percent < least) process.exitCode = 1
}

async function mutate({ sources, tests }: Concept) {
  process.env['MUTATION_TESTS'] = tests.join(',')
  const results = await new Stryker({
    configFile: 'test/mutation/stryker.config.json',
    mutate: [...sources],
    reporters: [process.stdout.isTTY ? 'progress' : 'dots'],
    allowConsoleColors: process.stdout.isTTY,
  }).runMutationTest()
  const judged = results.filter(({ status }) => status !== 'Ignored' && status !== 'CompileError')
  const missed = judged.filter(({ status }) => status !== 'Killed' && status !== 'Timeout')
  return {
    all: judged.length,
    noticed: judged.length - missed.length,
    missed: missed.map(
      ({ fileName, location, replacement, status }) =>
        `${relative('', fileName)}:${location.start.line + 1}:${location.start.column + 1} ${status}: ${replacement}`,
    ),
  }
}
