import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import supertest from 'supertest'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../../examples/express/ports.ts'
import { component } from '../components.ts'
import { callsShown, launch, logIn, visitor } from './browser.ts'

const { present, path } = component('chromium')
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const program = join(import.meta.dirname, '../../examples/express/demo.ts')

/** The demo as `npm run demo` starts it, in a folder of its own. */
class Demo {
  readonly child: ChildProcess
  output = ''

  constructor(folder: string, settings: Readonly<Record<string, string>>) {
    const { PATH } = process.env
    const env = { PATH, ...settings }
    this.child = spawn(process.execPath, ['--import', tsx, program], { cwd: folder, env })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    }
  }

  /** Waits until the output has what is looked for. */
  async printed(pattern: RegExp): Promise<string> {
    for (let attempt = 0; attempt < 150; attempt += 1) {
      const [match] = pattern.exec(this.output) ?? []
      if (match !== undefined) return match
      if (this.child.exitCode !== null) break
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error(`The demo did not print ${pattern}, but:\n${this.output}`)
  }

  url(): Promise<string> {
    return this.printed(/(?<=Open +)http:\S+/)
  }

  /** Ends it as Ctrl+C does; gives its exit code. */
  async end(signal: 'SIGINT' | 'SIGTERM' = 'SIGINT'): Promise<number | null> {
    const { child } = this
    if (child.exitCode === null) {
      const exited = once(child, 'exit')
      child.kill(signal)
      await exited
    }
    return child.exitCode
  }
}

let folder: string
let demo: Demo | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'behalf-demo-'))
})
afterEach(async () => {
  await demo?.end()
  demo = undefined
  rmSync(folder, { recursive: true })
})

describe('npm run demo', () => {
  test('needs no configuration, keeps its files private and ends cleanly', async () => {
    demo = new Demo(folder, { PORT: '0' })
    const url = await demo.url()
    expect((await fetch(url)).status).toBe(200)
    expect(demo.output.match(/http:\/\/127\.0\.0\.1:\d+/g)?.[0]).toBe(url)
    expect(statSync(join(folder, '.behalf')).mode & 0o777).toBe(0o700)
    expect(await demo.end('SIGTERM')).toBe(0)
    await expect(fetch(url)).rejects.toThrow('fetch failed')
  })

  test('takes the next port when the wanted one is taken', async () => {
    const wanted = await freePort(0)
    const other = createServer().listen(wanted, '127.0.0.1')
    await once(other, 'listening')
    demo = new Demo(folder, { PORT: String(wanted) })
    const { port } = new URL(await demo.url())
    expect(Number(port)).toBeGreaterThan(wanted)
    other.close()
  })

  test('goes to the real Spotify when there is a client for it', async () => {
    const port = String(await freePort(0))
    const client = { SPOTIFY_CLIENT_ID: 'an-app', SPOTIFY_CLIENT_SECRET: 'its-secret' }
    demo = new Demo(folder, { PORT: port, ...client })
    const url = await demo.url()
    await demo.printed(/redirect URI/)
    expect(demo.output).toContain(`${url}/auth/spotify/callback`)
    // Not fetch(), which tells that it is no navigation.
    const login = await supertest(url).get('/auth/spotify/login').expect(303)
    const location = new URL(login.headers['location']!)
    expect(location.origin).toBe('https://accounts.spotify.com')
    expect(location.searchParams.get('redirect_uri')).toBe(`${url}/auth/spotify/callback`)
    expect(demo.output).not.toContain('its-secret')
  })
})

describe.skipIf(!present)('npm run demo in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(path)
  })
  afterAll(() => browser?.close())

  test('logs one line per upstream call, and no token', async () => {
    demo = new Demo(folder, { PORT: '0' })
    const someone = await visitor(browser, await demo.url())
    const { page } = someone
    await logIn(page, 'Mei Tanaka')
    await page.reload()
    const shown = await callsShown(page)
    const partition = await page.locator('.call dd code').first().textContent()
    await page.getByRole('button', { name: 'Log out' }).click()
    await demo.printed(/logout/)

    const lines = demo.output.split('\n').filter((line) => line.includes(' GET '))
    expect(lines).toHaveLength(6)
    const columns = / {2}GET +\/v1\/\S+ +200 {2}(hit|miss, stored|bypass) +[\d.]+ ms {2}partition /
    for (const line of lines) expect(line).toMatch(columns)
    expect(lines.every((line) => line.endsWith(partition!))).toBe(true)
    expect(shown.filter((call) => call.includes(' hit '))).toHaveLength(2)
    expect(lines.filter((line) => line.includes(' hit '))).toHaveLength(2)

    // What the test provider's tokens look like.
    const token = /\b(access|refresh)-[\w-]{32}/
    expect(demo.output).not.toMatch(token)
    expect(demo.output).not.toMatch(/\b(code|state)=/)
    expect(await someone.received()).not.toMatch(token)
    await someone.close()
    expect(await demo.end()).toBe(0)
  })
})
