import { afterAll, expect, test } from 'vitest'
import { tortureBackends } from './backends.ts'
import { removeBuiltPrograms } from './built-program.ts'
import { torturePlaces } from './place-torture.ts'

afterAll(removeBuiltPrograms)

// The long form is `npm run torture tokens places`.
test.each(['session', 'cookies', 'iron-session'] as const)(
  'TK-03 two processes share tokens in %s over SQLite: each is presented once, and nobody is refused',
  async (tokens) => {
    const backend = await tortureBackends()
      .find(({ name }) => name === 'sqlite')!
      .start()
    try {
      const extent = { processes: 2, visitors: 3, expiries: 4, calls: 12 }
      const { wrong, figures } = await torturePlaces({ url: backend.url, tokens, ...extent })
      expect(wrong).toEqual([])
      expect(figures).toEqual({ refreshes: 12, 'presented twice': 0 })
    } finally {
      await backend.close()
    }
  },
  90_000,
)
