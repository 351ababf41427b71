import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('../support/test-api-program.ts', import.meta.url))

/** What a client sees in a process of its own. */
async function seenWith(seed: string): Promise<string> {
  const args = ['--import', 'tsx', program, seed]
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 })
  return stdout
}

it('the same seed gives the same music and libraries in every process, another one others', async () => {
  const [one, same, other] = await Promise.all(['a seed', 'a seed', 'another'].map(seenWith))
  expect(one!.split('\n').filter((line) => line.includes('"total"'))).toHaveLength(5)
  expect(same).toBe(one)
  expect(other).not.toBe(one)
})
