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
    return status === 200 && body.includes('Ada Moreau')
      ? 'shown'
      : `${status} ${body.slice(0, 300)}`
  }
  expect(await page()).toMatch(/^307/)

  provider.switches.expiresIn = 1
  expect(await visitor.logIn()).toMatchObject({ status: 303 })
  provider.switches.expiresIn = undefined
  expect(await page()).toBe('shown')
  const [, artistId] = /class="artist" value="(\w+)"/.exec((await visitor.open('/top')).body)!
  const artist = async () => {
    const { status, body } = await visitor.ask(`/api/artist/${artistId}`)
    return status === 200 ? 'told' : `${status} ${body}`
  }

  await sleep(1_100)
  const asked = Array.from({ length: 20 }, (_, at) => (at % 2 ? page() : artist()))
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['shown', 'told']))
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
  expect(provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })

  const copied = new HttpVisitor(baseUrl)
  const { cookie } = visitor
  await visitor.send('/auth/logout')
  expect(await page()).toMatch(/^307/)
  const after = await copied.ask(`/api/artist/${artistId}`, { headers: { cookie } })
  expect(after.status).toBe(401)
}

/** The only server action of the app, under the name that the build has given it. */
function actionOf(folder: string): string {
  const manifest = readFileSync(join(folder, '.next/server/server-reference-manifest.json'), 'utf8')
  const { node } = JSON.parse(manifest) as { node: Record<string, object> }
  return Object.keys(node)[0]!
}
