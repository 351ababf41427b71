import { expect, test } from 'vitest'
import { component } from '../components.ts'
import { startRedis } from '../support/redis-servers.ts'
import { tortureSubjects } from './subjects-torture.ts'

const redis = component('redis-server').present ? [{ name: 'redis', start: startRedis }] : []
const memory = { name: 'memory', start: async () => ({ url: 'memory:', close: async () => {} }) }

// The long form is `npm run torture tokens subjects`.
test.each([memory, ...redis])(
  '$name: nobody is given the token of another user, scope or resource',
  async ({ start }) => {
    const server = await start()
    try {
      const { wrong, figures } = await tortureSubjects({
        url: server.url,
        seed: 'short',
        calls: 2_000,
      })
      expect(wrong).toEqual([])
      expect(figures['refreshes']).toBeGreaterThan(10)
      expect(figures['logins']).toBeGreaterThan(5)
    } finally {
      await server.close()
    }
  },
  60_000,
)
