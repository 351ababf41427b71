import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { HttpVisitor } from './http-visitor.ts'
import type { RunningNext } from './running-next.ts'

/** What somebody does with the example, without a browser. */
export async function shortFlow({ baseUrl, provider, api, folder }: RunningNext): Promise<void> {
  const visitor = new HttpVisitor(baseUrl)
  const page = async () => {
    const { status, body } = await visitor.open('/top')
    return { status, isShown: body.includes('Ada Moreau') }
  }
  const shown = { status: 200, isShown: true }
  expect(await page()).toMatchObject({ status: 307 })

  provider.switches.expiresIn = 1
  expect(await visitor.logIn()).toMatchObject({ status: 303 })
  expect(await page()).toEqual(shown)

  await sleep(1_100)
  provider.switches.expiresIn = undefined
  const before = provider.seen.refreshRequests
  const artist = async () => (await visitor.ask(`/api/artist/${artistId}`)).status
  const artistId = /class="artist" value="(\w+)"/.exec((await visitor.open('/top')).body)![1]
  const pages = await Promise.all(
    Array.from({ length: 20 }, (_, at) => (at % 2 ? page() : artist())),
  )
  expect(new Set(pages.map((one) => JSON.stringify(one)))).toEqual(
    new Set([JSON.stringify(shown), '200']),
  )
  const action = await visitor.ask('/top', {
    method: 'POST',
    headers: {
      'next-action': actionOf(folder),
      origin: baseUrl,
      'content-type': 'text/plain;charset=UTF-8',
    },
    body: JSON.stringify([artistId, true]),
  })
  expect(action.status).toBe(200)
  expect(api.requestsTo('me/library')).toBe(1)
  expect(provider.seen.refreshRequests - before).toBe(1)
  expect(provider.seen.presentedTwice).toBe(0)

  const copied = new HttpVisitor(baseUrl)
  const { cookie } = visitor
  await visitor.send('/auth/logout')
  expect(await page()).toMatchObject({ status: 307 })
  const after = await copied.ask(`/api/artist/${artistId}`, { headers: { cookie } })
  expect(after.status).toBe(401)
}

/** The only server action of the app, under the name that the build has given it. */
function actionOf(folder: string): string {
  const manifest = readFileSync(join(folder, '.next/server/server-reference-manifest.json'), 'utf8')
  const { node } = JSON.parse(manifest) as { node: Record<string, object> }
  return Object.keys(node)[0]!
}
