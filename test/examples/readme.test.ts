import { once } from 'node:events'
import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestApi, createTestProvider, loginAs } from 'behalf/testing'
import type { TestApi, TestProvider } from 'behalf/testing'
import { freePort } from '../../examples/express/ports.ts'
import { Page } from './page.ts'
import { ended, SnippetFolder } from './snippet-folder.ts'

const { snippets } = new Page('README.md')
const quickStart = snippets[0]!
const testing = snippets.find((code) => code.includes("from 'behalf/testing'"))!

let folder: SnippetFolder
let provider: TestProvider
let api: TestApi
beforeAll(async () => {
  folder = new SnippetFolder()
  provider = await createTestProvider()
  api = await createTestApi({ provider })
})
afterAll(async () => {
  folder.remove()
  await api.close()
  await provider.close()
})

/** Puts something in the place of a part that stands there exactly once. */
function replaced(code: string, part: string, by: string): string {
  expect(code.split(part)).toHaveLength(2)
  return code.replace(part, () => by)
}

describe("the README's quick start", () => {
  test('has at most 15 lines', () => {
    expect(quickStart).toContain('requireLogin')
    expect(quickStart.split('\n').filter((line) => line.trim() !== '').length).toBeLessThan(16)
  })

  test('logs somebody in and shows their top tracks', async () => {
    const port = await freePort(0)
    const settings = JSON.stringify({ ...provider.overrides, apiBaseUrl: api.baseUrl })
    // Three parts are replaced: the provider's endpoints and client, the port in baseUrl, and the
    // port in listen(), which also tells this test that the app listens.
    const scope = "spotify({ scope: ['user-top-read'] })"
    let code = replaced(quickStart, scope, scope.replace('({', `({ ...${settings},`))
    code = replaced(code, 'http://127.0.0.1:3000', `http://127.0.0.1:${port}`)
    const listening = `app.listen(${port}, '127.0.0.1', () => process.send!('listening'))`
    code = replaced(code, "app.listen(3000, '127.0.0.1')", listening)

    const child = folder.start(folder.write('quick-start.ts', code))
    const end = ended(child)
    try {
      const failed = end.then(({ output }) => Promise.reject(new Error(output)))
      await Promise.race([once(child, 'message'), failed])
      const browser = supertest.agent(`http://127.0.0.1:${port}`)
      const sent = await browser.get('/top').set('accept', 'text/html').expect(303)
      expect(sent.headers['location']).toBe('/auth/spotify/login?returnTo=%2Ftop')
      const landed = await loginAs(browser, { user: 'ada', provider: 'spotify', returnTo: '/top' })
      expect(landed.headers['location']).toBe('/top')
      const { body } = await browser.get('/top').expect(200)
      expect((body as { items: unknown[] }).items).toHaveLength(20)
      await browser.get('/top').expect(200)
      expect(api.requestsTo('me/top/tracks')).toBe(1)
    } finally {
      child.kill()
      await end
    }
  })
})

describe("the README's snippets", () => {
  test('compile, all of them', async () => {
    expect(snippets.length).toBeGreaterThan(4)
    // The declaration speaks of the quick start's `auth`, and is one program's only one.
    const declaration = snippets.findIndex((code) => code.startsWith('declare module'))
    const others = snippets.filter((_code, at) => at !== declaration)
    const declaring = new SnippetFolder()
    try {
      expect(await folder.complaints(others)).toBe('')
      const wrong = "void (async (r: import('express').Request) => r.api.spotifi)"
      const whole = `${quickStart}\n${snippets[declaration]}\n`
      expect(await declaring.complaints([whole], '')).toBe('')
      expect(await declaring.complaints([whole + wrong], '')).toMatch(/TS2551.*spotifi/)
    } finally {
      declaring.remove()
    }
  })

  test('on testing run: a login, a reply, a refresh, a logout', async () => {
    const app = `
import express from 'express'
import { behalf, requireLogin } from 'behalf/express'
export function createApp(providers) {
  const app = express()
  app.use(behalf({ baseUrl: 'http://127.0.0.1', store: 'memory:', providers }))
  app.get('/top', requireLogin('spotify'), async (req, res) => {
    res.json(await req.api.spotify.get('me/top/tracks'))
  })
  return app
}
`
    folder.write('create-app.js', app)
    // Nothing is replaced: what the page takes for granted is imported, and the counts are printed.
    const before = `import request from 'supertest'
import { spotify } from 'behalf/providers'
import { createApp } from './create-app.js'
`
    const after = "console.log(`${api.requestsTo('me/top/tracks')} call`)"
    const child = folder.start(folder.write('testing.ts', `${before}${testing}${after}\n`))
    const { output, code } = await ended(child)
    expect(output).toContain('1 call')
    expect(code).toBe(0)
  })
})
