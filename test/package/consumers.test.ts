import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { PackedConsumer } from './packed-consumer.ts'

const node22 = component('node22')
const node24 = component('node24')
const node26 = component('node26')
const nodes = [
  { name: 'this Node', present: true, path: process.execPath },
  { name: 'Node 22', ...node22 },
  { name: 'Node 24', ...node24 },
  { name: 'Node 26', ...node26 },
]
const loggedIn = { before: 401, after: 200, id: 'ada' }

let consumer: PackedConsumer
beforeAll(() => {
  consumer = new PackedConsumer(['express', 'supertest'])
})
afterAll(() => consumer.remove())

describe.each(nodes.map((node) => [node.name, node] as const))(
  '%s, without any driver',
  (_name, { present, path }) => {
    test.skipIf(!present)('imports every entry point', async () => {
      const load = `for (const name of ${JSON.stringify(consumer.entryPoints)}) await import(name)`
      const ended = await consumer.run(path, ['--input-type=module', '--eval', load])
      expect(ended).toEqual({ code: 0, stdout: '', stderr: '' })
    })

    test.skipIf(!present)('requires every entry point, without a warning', async () => {
      const load = `for (const name of ${JSON.stringify(consumer.entryPoints)}) require(name)`
      const ended = await consumer.run(path, ['--eval', load])
      expect(ended).toEqual({ code: 0, stdout: '', stderr: '' })
    })

    test.skipIf(!present)('gives both the same module', async () => {
      const compare = `import('behalf').then((given) => console.log(given === require('behalf')))`
      const ended = await consumer.run(path, ['--eval', compare])
      expect(ended).toEqual({ code: 0, stdout: 'true\n', stderr: '' })
    })

    test.skipIf(!present).each([
      ['an app of ES modules', 'run.mjs', './app.mjs'],
      ['a CommonJS app', 'run.cjs', './app.cjs'],
    ])('%s logs a user in, calls the API and ends without a warning', async (_kind, run, app) => {
      const { code, stdout, stderr } = await consumer.run(path, [run, app])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(JSON.parse(stdout)).toEqual(loggedIn)
    })
  },
)
