import { request } from 'node:http'
import { expect, it } from 'vitest'
import { callerOf, everyScope, useTestApi } from './api-caller.ts'
import type { Page } from './api-caller.ts'

const world = useTestApi()

const oddTexts = [
  '',
  '-1',
  '0',
  '1e9',
  '1e309',
  'NaN',
  'Infinity',
  '0x10',
  '1.5',
  '%20',
  '%00',
  '%E0%A4%A',
  '%',
  '..%2f..%2fetc',
  '__proto__',
  'constructor',
  '%F0%9F%8E%B5',
  "'; DROP TABLE tracks; --",
  '(((((((((a+)+)+)+)+)+$',
  'a'.repeat(10_000),
  ','.repeat(5000),
  '9'.repeat(400),
]

/** Sends the path as it is written; fetch would put it in order first. */
function statusOf(path: string, authorization: string): Promise<number | undefined> {
  const { hostname, port } = new URL(world.api.origin)
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, headers: { authorization } }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode))
    })
      .once('error', reject)
      .end()
  })
}

it('odd ids, numbers, queries and lists never give a 500', async () => {
  const { accessToken } = world.provider.issueTokens({ user: 'ada', scope: everyScope })
  const text = (odd: string) => odd.replaceAll(' ', '%20')
  const paths = oddTexts.flatMap((odd) => [
    ...['tracks', 'albums', 'artists', 'playlists', 'users'].flatMap((kind) => [
      `${kind}/${text(odd)}`,
      `${kind}/${text(odd)}/tracks`,
      `${kind}/${text(odd)}/albums`,
      `${kind}?ids=${text(odd)}`,
    ]),
    ...['limit', 'offset', 'market', 'time_range', 'before', 'after', 'ids', 'uris'].flatMap(
      (name) => [
        `me/tracks?${name}=${text(odd)}`,
        `me/top/artists?${name}=${text(odd)}`,
        `me/player/recently-played?${name}=${text(odd)}`,
        `me/library/contains?${name}=${text(odd)}`,
        `search?q=a&type=track&${name}=${text(odd)}`,
      ],
    ),
    ...['', 'artist:', 'year:', 'genre:', 'artist:artist:'].map(
      (filter) => `search?type=track,album,artist,playlist&q=${filter}${text(odd)}`,
    ),
    `search?q=a&type=${text(odd)}`,
    `me/${text(odd)}`,
    text(odd),
  ])
  const failed: string[] = []
  for (const path of paths) {
    const status = (await statusOf(`/v1/${path}`, `Bearer ${accessToken}`)) ?? 500
    if (status >= 500) failed.push(`${status} ${path.slice(0, 80)}`)
  }
  expect(failed).toEqual([])
})

it('limits and offsets that are none are told apart from those beyond the end', async () => {
  const { call } = callerOf(world, 'ada')
  for (const limit of ['-1', '0', '51', '1e9', '1000000000', 'NaN', '', '1.5']) {
    const reply = await call(`me/tracks?limit=${limit}`)
    expect(await reply.json()).toEqual({ error: { status: 400, message: 'Invalid limit' } })
  }
  const { status } = await call('me/tracks?offset=NaN')
  expect(status).toBe(400)
  const beyond = (await (await call('me/tracks?offset=99999')).json()) as Page<unknown>
  expect(beyond).toMatchObject({ items: [], next: null, offset: 99999 })
})

it('the first of repeated parameters counts', async () => {
  const { read } = callerOf(world, 'ada')
  const page = await read<Page<unknown>>('me/tracks?limit=2&limit=7&offset=1&offset=x')
  expect(page).toMatchObject({ limit: 2, offset: 1 })
  const next = await read<Page<unknown>>(page.next ?? '')
  expect(next).toMatchObject({ limit: 2, offset: 3 })
})

it('bodies that are no list of ids are refused', async () => {
  const { call } = callerOf(world, 'ada')
  for (const body of [
    'null',
    '1',
    '[]',
    '{"ids":null}',
    '{"ids":[]}',
    '{"ids":["x"]}',
    '{"ids":',
  ]) {
    expect((await call('me/tracks', { method: 'PUT', body })).status).toBe(400)
  }
})
