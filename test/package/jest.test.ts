import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { PackedConsumer } from './packed-consumer.ts'

const jest = component('jest')
const nodes = [
  { name: 'Node 20', present: process.version.startsWith('v20.'), path: process.execPath },
  { name: 'Node 22', ...component('node22') },
  { name: 'Node 24', ...component('node24') },
  { name: 'Node 26', ...component('node26') },
]

let consumer: PackedConsumer
beforeAll(() => {
  consumer = new PackedConsumer(['express', 'supertest'])
})
afterAll(() => consumer.remove())

/** Jest, told to take the file as it is. */
function runJest(node: string, file: string, flags: readonly string[]) {
  const config = { testEnvironment: 'node', transform: {}, testMatch: [`**/${file}`] }
  const settings = ['--runInBand', '--rootDir', consumer.folder, '--config', JSON.stringify(config)]
  return consumer.run(node, [...flags, jest.path, ...settings])
}

const vmModules = ['--experimental-vm-modules']

describe.skipIf(!jest.present).each(nodes.map((node) => [node.name, node] as const))(
  'Jest 30 on %s',
  (name, { present, path }) => {
    const requires = name === 'Node 24' || name === 'Node 26'

    test.skipIf(!present).each(['jest-import.mjs', 'jest-dynamic-import.cjs'])(
      '%s logs a user in with --experimental-vm-modules',
      async (file) => {
        const { code, stderr } = await runJest(path, file, vmModules)
        expect(stderr).toMatch(/^Tests: +1 passed, 1 total$/m)
        expect(code).toBe(0)
      },
      60_000,
    )

    test.skipIf(!present || !requires)(
      'require() logs a user in with --experimental-vm-modules',
      async () => {
        const { code, stderr } = await runJest(path, 'jest-require.cjs', vmModules)
        expect(stderr).toMatch(/^Tests: +1 passed, 1 total$/m)
        expect(code).toBe(0)
      },
      60_000,
    )

    test.skipIf(!present || requires)(
      'require() is refused by Jest also with --experimental-vm-modules',
      async () => {
        const { code, stderr } = await runJest(path, 'jest-require.cjs', vmModules)
        expect(stderr).toMatch(/Must use import to load ES Module/)
        expect(code).toBe(1)
      },
      60_000,
    )

    test.skipIf(!present).each(['jest-import.mjs', 'jest-dynamic-import.cjs', 'jest-require.cjs'])(
      '%s fails without the flag',
      async (file) => {
        const { code, stderr } = await runJest(path, file, [])
        expect(stderr).toMatch(
          /Must use import to load ES Module|without --experimental-vm-modules/,
        )
        expect(code).toBe(1)
      },
      60_000,
    )
  },
)
