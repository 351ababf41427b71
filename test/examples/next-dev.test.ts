import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { type RunningRedis, startRedis } from '../support/redis-servers.ts'
import { launch, logIn } from './browser.ts'
import type { NextCopy } from './next-copy.ts'
import { cookieKinds, copyWithCookies, inStore, isWhole } from './next-kinds.ts'
import { oneRefresh, stormAtExpiry } from './next-storm.ts'
import { runNext } from './running-next.ts'

const chromium = component('chromium')
const redis = component('redis-server')

/** Of what the pages, the routes and the proxy have opened, which Next.js loads one by one. */
async function connections(server: RunningRedis): Promise<string[]> {
  const clients = (await server.cli('client', 'list')).trim().split('\n')
  const ids = clients.filter((line) => !line.includes('cmd=client'))
  return ids.map((line) => /^id=\d+/.exec(line)![0]).toSorted()
}

/** In `npm test` next-demo.test.ts is the one that drives `next dev`. */
const isDriven = isWhole && chromium.present && redis.present

describe.skipIf(!isDriven).each([inStore, ...cookieKinds])(
  'next dev of examples/next, $name',
  ({ place }) => {
    let browser: Browser
    let server: RunningRedis
    let copy: NextCopy

    beforeAll(async () => {
      copy = copyWithCookies()
      ;[browser, server] = await Promise.all([launch(chromium.path), startRedis()])
    })
    afterAll(async () => {
      await browser?.close()
      await server?.close()
      copy?.remove()
    })

    test('an edit keeps the login, its one core and its connections; a storm costs one refresh', async () => {
      const { folder } = copy
      const env = { PLACE: place }
      const running = await runNext({ folder, dev: true, store: server.url, env })
      const context = await browser.newContext({ baseURL: running.baseUrl })
      try {
        const page = await context.newPage()
        page.setDefaultTimeout(90_000)
        await logIn(page, 'Ada Moreau')
        await page.locator('.track').first().waitFor()
        await page.locator('.artist').first().click()
        await page.getByText(/followers/).waitFor()
        await page.getByRole('button', { name: 'Close' }).click()
        await page
          .getByRole('button', { name: /^Like / })
          .first()
          .click()
        await expect.poll(() => running.api.requestsTo('me/library'), { timeout: 60_000 }).toBe(1)
        const before = await connections(server)
        const { refreshRequests, codeRequests } = running.provider.seen

        copy.edit('lib/behalf.ts', (text) => `${text}\nexport const edited = true\n`)
        copy.edit('app/top/page.tsx', (text) =>
          text
            .replace('context } from', 'context, edited } from')
            .replace('<Visitor user={user} />', '<p>{edited && "Edited"}</p>'),
        )
        await page.getByText('Edited').waitFor()
        expect(await page.locator('.track').count()).toBe(12)
        expect(running.provider.seen).toMatchObject({ refreshRequests, codeRequests })
        copy.edit('lib/behalf.ts', (text) => text.replace('edited = true', 'edited = 1'))

        // What the storm is to ask for has been built anew by then.
        await context.request.get('/api/artist/x')
        const requests = 12
        const outcome = await stormAtExpiry(running, context, page, { requests, prefetch: false })
        expect(outcome).toEqual(oneRefresh)
        expect(await connections(server)).toEqual(before)
      } catch (error) {
        throw new Error(running.output(), { cause: error })
      } finally {
        await context.close()
        await running.close()
      }
    }, 400_000)
  },
)
