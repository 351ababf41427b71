import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { component } from '../components.ts'
import { callsShown, launch, logIn, visitor } from './browser.ts'
import { project } from './page.ts'

const { present, path } = component('chromium')
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

describe.skipIf(!present)('npm run demo:next', () => {
  let browser: Browser
  let demo: ChildProcess
  let output = ''
  const folder = mkdtempSync(join(tmpdir(), 'behalf-demo-next-'))

  beforeAll(async () => {
    browser = await launch(path)
    const program = join(project, 'examples/next/demo.ts')
    const { PATH } = process.env
    const env = { PATH, PORT: '0' }
    demo = spawn(process.execPath, ['--import', tsx, program], { cwd: folder, env })
    for (const stream of [demo.stdout, demo.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
    }
    const isReady = () => output.includes('Ready in') || Promise.reject(new Error(output))
    await vi.waitFor(isReady, { timeout: 60_000 })
  }, 90_000)
  afterAll(async () => {
    await browser?.close()
    if (demo?.exitCode === null) {
      demo.kill('SIGINT')
      await once(demo, 'exit')
    }
    rmSync(folder, { recursive: true })
  })

  test('needs no configuration: log in, see top tracks, like one; no token is shown', async () => {
    const someone = await visitor(browser, /(?<=Open +)http:\S+/.exec(output)![0])
    const { page } = someone
    await page.setViewportSize({ width: 1680, height: 1205 })
    page.setDefaultTimeout(120_000)
    await logIn(page, 'Mei Tanaka')
    await page.locator('.track').first().waitFor()
    expect(await callsShown(page)).toHaveLength(3)
    // Where Next.js tells the developer what is wrong with a page, such as HTML that does not nest.
    expect(await page.locator('nextjs-portal').getByText(/Issue/).count()).toBe(0)
    await page
      .getByRole('button', { name: /^Like / })
      .first()
      .click()
    await expect.poll(() => output, { timeout: 60_000 }).toContain('PUT     /v1/me/library')
    if (process.env['SCREENSHOT']) await page.screenshot({ path: process.env['SCREENSHOT'] })
    expect(output).toMatch(/login at spotify/)
    // What the test provider's tokens look like.
    const token = /\b(access|refresh)-[\w-]{32}/
    expect(output).not.toMatch(token)
    expect(await someone.received()).not.toMatch(token)
    await someone.close()
  }, 240_000)
})
