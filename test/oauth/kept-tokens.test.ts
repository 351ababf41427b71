import { beforeEach, expect, test } from 'vitest'
import { createBehalf } from '../../src/middleware/behalf.ts'
import { userOwner } from '../../src/oauth/grant-owner.ts'
import { keepTokens } from '../../src/oauth/kept-tokens.ts'
import { Presentation } from '../../src/oauth/presentation.ts'
import { mainToken } from '../../src/oauth/token-target.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor } from '../../src/testing/index.ts'
import { secret, useWorld } from '../middleware/express-app.ts'

const world = useWorld()
beforeEach(() => world.provider.reset())

/** A grant that was given up, whose tokens come all the same: their process had stood still. */
async function revived() {
  const auth = createBehalf({
    secret,
    store: memoryStore(),
    providers: { spotify: world.spotify },
    user: () => undefined,
  })
  await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
  const { records, server } = (await auth.app()).access('spotify')
  const spent = (await records.read(userOwner('u1'), 'spotify'))!
  const { refreshToken } = spent.record.tokens
  const now = { monotonic: performance.now(), wallClock: Date.now() }
  const presented = new Presentation(now, 10)
  const fresh = await server.refresh(refreshToken!, mainToken, presented)
  const tokens = { accessToken: '', receivedAt: 0 }
  await records.update(spent, { ...spent.record, tokens, ended: 'rotation-lost' })
  await keepTokens(records, spent, fresh, mainToken)
  const { tokens: handlers } = await auth.forUser('u1')
  return { refresh: () => handlers.spotify.getAccessToken({ forceRefresh: true }) }
}

test('tokens that come late are used, and their end is told as a lost rotation', async () => {
  const { refresh } = await revived()
  world.provider.switches.tokenEndpoint = () => ({
    status: 400,
    headers: { 'content-type': 'application/json' },
    body: '{"error":"invalid_grant"}',
  })
  await expect(refresh()).rejects.toMatchObject({
    code: 'reauth_required',
    reason: 'rotation-lost',
  })
})

test('once they were good for a refresh, a later end is what it is', async () => {
  const { refresh } = await revived()
  await refresh()
  world.provider.switches.tokenEndpoint = () => ({
    status: 400,
    headers: { 'content-type': 'application/json' },
    body: '{"error":"invalid_grant"}',
  })
  await expect(refresh()).rejects.toMatchObject({ code: 'reauth_required', reason: 'revoked' })
})
