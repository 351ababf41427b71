import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createTestApi } from '../../src/testing/index.ts'
import { callerOf, useTestApi } from './api-caller.ts'

const limited = useTestApi({ rateLimit: { requests: 3, per: 30 } })

beforeEach(() => {
  limited.provider.clients.set('other-app', { clientId: 'other-app' })
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const statusesOf = async (...calls: Array<() => Promise<Response>>) => {
  const statuses = []
  for (const call of calls) statuses.push((await call()).status)
  return statuses
}

it('is shared by the users of an app, and nothing to another app', async () => {
  const [ada, grace] = [callerOf(limited, 'ada'), callerOf(limited, 'grace')]
  const elsewhere = callerOf(limited, 'ada', { clientId: 'other-app' })
  const me = [ada, grace, elsewhere].map(
    ({ call }) =>
      () =>
        call('me'),
  ) as [never, never, never]
  const [asAda, asGrace, inOtherApp] = me
  expect(await statusesOf(asAda, asGrace, asAda)).toEqual([200, 200, 200])
  expect(await statusesOf(asAda, asGrace, inOtherApp, inOtherApp, inOtherApp)).toEqual([
    429, 429, 200, 200, 200,
  ])
  expect(await statusesOf(inOtherApp)).toEqual([429])
})

it('refuses as Spotify does, and lets requests through again after Retry-After', async () => {
  const { call } = callerOf(limited, 'ada')
  const me = () => call('me')
  await me()
  vi.setSystemTime(Date.now() + 10_000)
  expect(await statusesOf(me, me)).toEqual([200, 200])
  const refused = await me()
  expect(refused.status).toBe(429)
  expect(await refused.json()).toEqual({
    error: { status: 429, message: 'API rate limit exceeded' },
  })
  const wait = Number(refused.headers.get('retry-after'))
  expect(wait).toBe(20)
  vi.setSystemTime(Date.now() + (wait - 1) * 1000)
  expect(await statusesOf(me)).toEqual([429])
  vi.setSystemTime(Date.now() + 1000)
  expect(await statusesOf(me, me)).toEqual([200, 429])
})

it('counts nobody whose token is not good', async () => {
  const anonymous = () => fetch(`${limited.api.baseUrl}/me`)
  expect(await statusesOf(anonymous, anonymous, anonymous, anonymous)).toEqual([401, 401, 401, 401])
  const { call } = callerOf(limited, 'ada')
  expect(await statusesOf(() => call('me'))).toEqual([200])
})

it('is a switch, which reset() sets to what the API was made with', async () => {
  const { call } = callerOf(limited, 'ada')
  const me = () => call('me')
  limited.api.switches.rateLimit = undefined
  expect(await statusesOf(me, me, me, me, me)).toEqual([200, 200, 200, 200, 200])
  limited.api.switches.rateLimit = { requests: 1, per: 5 }
  expect(await statusesOf(me, me)).toEqual([200, 429])
  limited.api.reset()
  expect(await statusesOf(me, me, me, me)).toEqual([200, 200, 200, 429])
})

it('knows the app also where only the issuer of the provider is known', async () => {
  const { issuer } = limited.provider
  const api = await createTestApi({ provider: issuer, rateLimit: { requests: 1, per: 30 } })
  const world = { ...limited, api }
  const [ada, grace] = [callerOf(world, 'ada'), callerOf(world, 'grace')]
  const elsewhere = callerOf(world, 'grace', { clientId: 'other-app' })
  expect(
    await statusesOf(
      () => ada.call('me'),
      () => grace.call('me'),
      () => elsewhere.call('me'),
    ),
  ).toEqual([200, 429, 200])
  await api.close()
})

it('has to make sense', async () => {
  const { provider } = limited
  for (const rateLimit of [
    { requests: 0, per: 30 },
    { requests: 1.5, per: 30 },
    { requests: 1, per: 0 },
    { requests: 1, per: Number.NaN },
  ]) {
    await expect(createTestApi({ provider, rateLimit })).rejects.toThrow(RangeError)
  }
})
