import { Keyv } from 'keyv'
import { expect, test } from 'vitest'
import { cachedFetch } from '../../src/cache/index.ts'
import { keyvStore } from '../../src/stores/keyv.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const secret = 'a secret of thirty-two bytes or more'
const upstream = async () =>
  new Response('what only Ada may read', { headers: { 'cache-control': 'max-age=60' } })

test('CA-08 in a Keyv, wherever its values lie, a user’s replies are sealed, and served from there', async () => {
  const backend = new Map<string, unknown>()
  const cached = cachedFetch(upstream, {
    store: keyvStore(new Keyv({ store: backend })),
    partition: 'ada',
    secret,
  })
  const ask = async () => {
    const response = await cached('https://api.example/me')
    return [response.headers.get('cache-status'), await response.text()]
  }
  await ask()
  expect(await ask()).toEqual([expect.stringContaining('hit'), 'what only Ada may read'])
  const stored = [...backend.values()].map(String).join('\n')
  expect(stored).not.toContain('only Ada')
  const values = [...stored.matchAll(/[A-Za-z0-9+/]{40,}={0,2}/g)]
  for (const [value] of values) {
    expect(Buffer.from(value, 'base64').toString('latin1')).not.toContain('only Ada')
  }
  expect(values.length).toBeGreaterThan(0)
})

test('a partition in a Keyv needs a secret, in memory it does not', () => {
  const keyv = keyvStore(new Keyv())
  expect(() => cachedFetch(upstream, { store: keyv, partition: 'ada' })).toThrow('needs a secret')
  expect(() => cachedFetch(upstream, { store: memoryStore(), partition: 'ada' })).not.toThrow()
})
