import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from './asking.ts'
import { HttpVisitor } from './http-visitor.ts'
import type { RunningNext } from './running-next.ts'

/** What each step of {@link shortFlow} shows. */
export const asItShould = {
  before: '307',
  after: 'shown',
  atExpiry: ['shown', 'told'],
  action: 200,
  likes: 1,
  refreshes: 1,
  presentedTwice: 0,
  left: '307',
  copiedCookie: 401,
}

/** What somebody does with the example, without a browser. */
export async function shortFlow(running: RunningNext): Promise<typeof asItShould> {
  const { baseUrl, provider, api, folder } = running
  const visitor = new HttpVisitor(baseUrl)
  const page = async () => {
    const { status, body } = await visitor.open('/top')
    if (status !== 200) return String(status)
    return body.includes('Ada Moreau') ? 'shown' : body
  }
  const before = await page()
  provider.switches.expiresIn = 1
  await visitor.logIn()
  provider.switches.expiresIn = undefined
  const after = await page()
  const [, artistId] = /class="artist" value="(\w+)"/.exec((await visitor.open('/top')).body)!
  const artist = async () => {
    const { status, body } = await visitor.ask(`/api/artist/${artistId}`)
    return status === 200 ? 'told' : `${status} ${body}`
  }

  await sleep(1_100)
  const asked = Array.from({ length: 20 }, (_, at) => (at % 2 ? page() : artist()))
  const atExpiry = [...new Set(await Promise.all(asked))].toSorted()
  const action = await visitor.ask('/top', {
    method: 'POST',
    headers: {
      'next-action': actionOf(folder),
      origin: baseUrl,
      'content-type': 'text/plain;charset=UTF-8',
    },
    body: JSON.stringify([artistId, true]),
  })
  const likes = api.requestsTo('me/library')

  const headers = { cookie: visitor.cookie }
  await visitor.send('/auth/logout')
  const left = await page()
  const copied = await ask(`${baseUrl}/api/artist/${artistId}`, { headers })
  const { refreshRequests: refreshes, presentedTwice } = provider.seen
  return {
    before,
    after,
    atExpiry,
    action: action.status,
    likes,
    refreshes,
    presentedTwice,
    left,
    copiedCookie: copied.status,
  }
}

/** The only server action of the app, under the name that the build has given it. */
function actionOf(folder: string): string {
  const manifest = readFileSync(join(folder, '.next/server/server-reference-manifest.json'), 'utf8')
  const { node } = JSON.parse(manifest) as { node: Record<string, object> }
  return Object.keys(node)[0]!
}
