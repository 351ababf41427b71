import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { PackedConsumer } from './packed-consumer.ts'

const typescript5 = component('typescript5')
const typescript7 = {
  present: true,
  path: fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url)),
}

/** A project's settings, and the `type` of its package.json. */
interface Settings {
  type: 'module' | 'commonjs'
  module: string
  moduleResolution: string
}

const node10 = { type: 'commonjs', module: 'commonjs', moduleResolution: 'node10' } as const
const node16 = { type: 'module', module: 'node16', moduleResolution: 'node16' } as const
const bundler = { type: 'module', module: 'esnext', moduleResolution: 'bundler' } as const
const requiring = { type: 'commonjs', module: 'nodenext', moduleResolution: 'nodenext' } as const
const others: Settings[] = [
  { type: 'module', module: 'node20', moduleResolution: 'node16' },
  { type: 'module', module: 'nodenext', moduleResolution: 'nodenext' },
  { type: 'module', module: 'preserve', moduleResolution: 'bundler' },
  { type: 'commonjs', module: 'node20', moduleResolution: 'node16' },
]

let consumer: PackedConsumer
beforeAll(() => {
  consumer = new PackedConsumer(['express', 'supertest', '@types/express', '@types/node'])
  const imports = consumer.entryPoints.map((name, at) => `import * as entry${at} from '${name}'`)
  const used = consumer.entryPoints.map((_name, at) => `entry${at}`)
  write('entries.ts', `${imports.join('\n')}\nexport const entries = [${used.join(', ')}]\n`)
  // Not kept as app.ts: the project's own compiler would see two copies of behalf's types.
  write('app.ts', readFileSync(join(consumer.folder, 'app.ts.txt'), 'utf8'))
})
afterAll(() => consumer.remove())

const write = (name: string, text: string) => writeFileSync(join(consumer.folder, name), text)

/** With what every strict project has, and every declaration file checked. */
function compile(tsc: string, { type, module, moduleResolution }: Settings) {
  write('package.json', JSON.stringify({ private: true, type }))
  const options = {
    strict: true,
    skipLibCheck: false,
    target: 'es2022',
    types: ['node'],
    esModuleInterop: true,
    outDir: 'out',
    module,
    moduleResolution,
  }
  write(
    'tsconfig.json',
    JSON.stringify({ compilerOptions: options, files: ['app.ts', 'entries.ts'] }),
  )
  return consumer.run(process.execPath, [tsc, '--pretty', 'false'])
}

function describeTypeScript(
  name: string,
  tsc: { present: boolean; path: string },
  works: Settings[],
): void {
  // oxlint-disable-next-line vitest/valid-title -- the caller's
  describe.skipIf(!tsc.present)(name, () => {
    test.each(works.map((one) => [one.type, one.module, one.moduleResolution, one] as const))(
      '%s with module %s, moduleResolution %s: compiles, and logs a user in',
      async (_type, _module, _resolution, settings) => {
        expect(await compile(tsc.path, settings)).toEqual({ code: 0, stdout: '', stderr: '' })
        const run = settings.type === 'module' ? 'run.mjs' : 'run.cjs'
        const ended = await consumer.run(process.execPath, [run, './out/app.js'])
        expect({ ...ended, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' })
        expect(JSON.parse(ended.stdout)).toEqual({ before: 401, after: 200, id: 'ada' })
      },
      60_000,
    )

    test('CommonJS source with module node16 is told to use import()', async () => {
      const { code, stdout } = await compile(tsc.path, { ...node16, type: 'commonjs' })
      expect(code).not.toBe(0)
      expect(stdout).toMatch(/^app\.ts.* error TS1479: .*import\("behalf\/express"\)/m)
    }, 60_000)
  })
}

describeTypeScript('TypeScript 7', typescript7, [node16, bundler, requiring, ...others])
// It takes seconds for each.
describeTypeScript('TypeScript 5.9', typescript5, [node16, bundler, requiring, node10])
