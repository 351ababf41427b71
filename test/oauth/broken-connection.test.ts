import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ApiClient } from '../../src/oauth/api-client.ts'
import { createBehalf } from '../../src/middleware/behalf.ts'
import type { ProviderOptions } from '../../src/oauth/provider.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor } from '../../src/testing/index.ts'
import { secret, useWorld } from '../middleware/express-app.ts'
import { good, HostileApi, reply } from '../middleware/hostile-api.ts'

const world = useWorld()
let api: HostileApi
beforeEach(async () => {
  api = new HostileApi()
  await api.start()
})
afterEach(() => api.close())

/** The client of a user who has made one call, so that there is a connection that is kept. */
async function clientOf(more: ProviderOptions = {}): Promise<ApiClient> {
  const auth = createBehalf({
    store: memoryStore(),
    secret,
    providers: { spotify: api.behind(world, more) },
    user: () => undefined,
  })
  await grantFor(auth, { user: 'ada', provider: 'spotify' })
  const { spotify } = (await auth.forUser('ada')).api
  expect(await spotify.get('me')).toEqual({ id: 'good' })
  // Until it is free again, which is a moment after the reply.
  await sleep(50)
  api.seen.length = 0
  return spotify
}

/** The connections over which requests came, from the one that was kept. */
const connections = () => api.seen.map(({ connection }) => connection)

const closes: Record<string, (socket: Socket) => void> = {
  'is closed': (socket) => socket.end(),
  'is reset': (socket) => socket.resetAndDestroy(),
}

describe.each(Object.entries(closes))(
  'a kept connection that %s when it is used again',
  (_, close) => {
    const whenUsedAgain = (times = 1) => {
      api.answer = (socket, { connection }) => {
        if (connection <= times) close(socket)
        else socket.write(reply('200 OK', {}, good))
      }
    }

    test('costs a GET nothing: it is sent again over another', async () => {
      const client = await clientOf()
      whenUsedAgain()
      expect(await client.get('me')).toEqual({ id: 'good' })
      expect(connections()).toEqual([1, 2])
    })

    test('costs a HEAD nothing', async () => {
      const client = await clientOf()
      whenUsedAgain()
      expect((await client.fetch('me', { method: 'HEAD' })).status).toBe(200)
      expect(connections()).toEqual([1, 2])
    })

    test('is told where the next one breaks too', async () => {
      const client = await clientOf()
      whenUsedAgain(2)
      await expect(client.get('me')).rejects.toMatchObject({ code: 'upstream_unavailable' })
      expect(connections()).toEqual([1, 2])
    })

    test.each(['post', 'put', 'patch', 'delete'] as const)('is told to a %s', async (method) => {
      const client = await clientOf()
      whenUsedAgain()
      await expect(client[method]('me')).rejects.toMatchObject({ code: 'upstream_unavailable' })
      expect(connections()).toEqual([1])
    })

    test('is told where a fetch of the app’s own is used', async () => {
      const client = await clientOf({ fetch: (input, init) => fetch(input, init) })
      const before = api.seen.length
      api.answer = close
      await expect(client.get('me')).rejects.toMatchObject({ code: 'upstream_unavailable' })
      expect(api.seen.length - before).toBe(1)
    })
  },
)

test('a connection that breaks in the midst of a reply is told: the call is not made again', async () => {
  const client = await clientOf()
  api.answer = (socket) => socket.end(reply('200 OK', { 'content-length': '1000' }, good))
  await expect(client.get('me')).rejects.toMatchObject({ code: 'upstream_unavailable' })
  expect(connections()).toEqual([1])
})

test('TK-03 a refresh token is not presented again because a connection broke', async () => {
  const client = await clientOf()
  world.provider.switches.tokenEndpoint = 'resets-before'
  const before = world.provider.seen.refreshRequests
  api.answer = (socket) => socket.write(reply('401 Unauthorized', {}))
  await expect(client.get('me')).rejects.toMatchObject({ code: 'provider_unavailable' })
  expect(world.provider.seen.refreshRequests - before).toBe(1)
  world.provider.reset()
})
