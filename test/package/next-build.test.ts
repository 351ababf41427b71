import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { ServerProcess, freePort } from '../support/server-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const next = component('next')

const route = `
import { backends, cacheManager, createStore } from 'behalf/stores'
export const dynamic = 'force-dynamic'
export async function GET(request) {
  const cache = cacheManager(createStore(new URL(request.url).searchParams.get('store')))
  try {
    await cache.set('key', 'kept')
    return Response.json({ backends: Object.keys(backends), found: await cache.get('key') })
  } catch ({ code, message }) {
    return Response.json({ code, message })
  }
}`
const layout = 'export default ({ children }) => <html><body>{children}</body></html>'

/** What behalf itself needs, and SQLite's driver on Node 20 with what that needs. */
const needed = dependenciesOf('.')
const driver = ['libsql', ...dependenciesOf('node_modules/libsql')]

describe.skipIf(!next.present)('a Next.js app that imports behalf/stores', () => {
  let app = ''
  beforeAll(() => {
    app = mkdtempSync(join(tmpdir(), 'behalf-next-'))
    execFileSync('cp', ['-r', join(dirname(next.path), '../../..'), join(app, 'node_modules')])
    const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', app], {
      cwd: root,
      encoding: 'utf8',
    }).trim()
    mkdirSync(join(app, 'node_modules/behalf'))
    const into = ['-C', join(app, 'node_modules/behalf'), '--strip-components=1']
    execFileSync('tar', ['-xzf', join(app, packed), ...into])
    for (const name of needed) install(name)
    mkdirSync(join(app, 'app/store'), { recursive: true })
    writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }')
    writeFileSync(join(app, 'app/layout.jsx'), layout)
    writeFileSync(join(app, 'app/store/route.js'), route)
  })
  afterAll(() => rmSync(app, { recursive: true, force: true }))

  const install = (name: string) =>
    cpSync(join(root, 'node_modules', name), join(app, 'node_modules', name), { recursive: true })

  test('builds without any optional driver, runs, and says what to install', async () => {
    await build(app)
    const { ask, server } = await start(app)
    try {
      const inMemory = await ask('memory:')
      expect(inMemory).toMatchObject({ found: 'kept' })
      expect((inMemory as { backends: string[] }).backends).toContain('redis')
      expect(await ask('redis://127.0.0.1')).toEqual({
        code: 'config_invalid',
        message: expect.stringMatching(/npm i ioredis/),
      })
      for (const name of driver) install(name)
      expect(await ask('sqlite::memory:')).toMatchObject({ found: 'kept' })
    } finally {
      await server.stop()
    }
  }, 180_000)
})

async function build(app: string): Promise<void> {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' as const }
  const program = join(app, 'node_modules/next/dist/bin/next')
  const { stdout } = await promisify(execFile)(process.execPath, [program, 'build'], {
    cwd: app,
    env,
  })
  expect(stdout).toContain('/store')
}

async function start(app: string) {
  const port = await freePort()
  const url = (store: string) => `http://127.0.0.1:${port}/store?store=${encodeURIComponent(store)}`
  const program = join(app, 'node_modules/next/dist/bin/next')
  const server = await ServerProcess.start({
    command: process.execPath,
    args: [program, 'start', '-p', String(port), '-H', '127.0.0.1'],
    cwd: app,
    ready: async () => (await fetch(url('memory:'))).ok,
  })
  const ask = async (store: string): Promise<unknown> => {
    const response = await fetch(url(store))
    return response.ok ? response.json() : response.status
  }
  return { ask, server }
}

/** The names of what a package needs to run, in all; `folder` is in the project. */
function dependenciesOf(folder: string): string[] {
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string> | undefined>
  const names = Object.keys({ ...dependencies, ...optionalDependencies })
  const present = names.filter((name) => {
    try {
      return readFileSync(join(root, 'node_modules', name, 'package.json')).length > 0
    } catch {
      return false
    }
  })
  return [
    ...new Set([...present, ...present.flatMap((name) => dependenciesOf(`node_modules/${name}`))]),
  ]
}
