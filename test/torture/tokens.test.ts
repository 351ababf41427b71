import { afterAll, describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { tortureBackends } from './backends.ts'
import { removeBuiltPrograms } from './built-program.ts'
import { tortureDown } from './token-down.ts'
import { tortureExpiries } from './token-expiries.ts'
import { type KillsOptions, losing, tortureKills } from './token-kills.ts'
import { tortureSlow } from './token-slow.ts'
import { tortureLate, tortureLost, tortureStopped } from './token-stops.ts'

// The long form is `npm run torture tokens`.
const backends = tortureBackends().filter(({ name }) => ['redis', 'sqlite', 'file'].includes(name))
/** The parts that are about time have one that never makes the provider's process wait. */
const backend = backends.findLast(({ name }) => name !== 'sqlite')!
/** Longer than those of the long form: the machine may be busy. */
const timeouts = { token: 0.5, lease: 1.2 }
const processes = 4
const patience = 120_000

afterAll(removeBuiltPrograms)

async function on<T>({ start }: typeof backend, use: (url: string) => Promise<T>): Promise<T> {
  const { url, close } = await start()
  return use(url).finally(close)
}

describe('TK-03 an access token that expires again and again', () => {
  const [expiries, calls] = [5, 200]
  const much = { expiries, calls, timeouts: { token: 2, lease: 5 } }
  const once = { expiries, refreshes: expiries, 'presented twice': 0 }

  test('in memory: one refresh each time for all calls', async () => {
    const result = await tortureExpiries({ url: 'memory:', processes: 1, ...much })
    expect(result).toEqual({ figures: once, wrong: [] })
  })

  test.each(backends)(
    '$name: one refresh each time for all calls of four processes',
    async (one) => {
      const result = await on(one, (url) => tortureExpiries({ url, processes, ...much }))
      expect(result).toEqual({ figures: once, wrong: [] })
    },
    patience,
  )

  test.skipIf(!component('libfaketime').present)(
    'where clocks are two hours apart: nothing presented twice, one refresh more at most',
    async () => {
      const options = { processes, ...much, clocks: 7_200 }
      const { figures, wrong } = await on(backend, (url) => tortureExpiries({ url, ...options }))
      expect(wrong).toEqual([])
      expect(figures['presented twice']).toBe(0)
    },
    patience,
  )

  test.skipIf(!component('libfaketime').present)(
    'the same where clocks are 5 s apart',
    async () => {
      const options = { processes, ...much, clocks: 5 }
      const result = await on(backend, (url) => tortureExpiries({ url, ...options }))
      expect(result).toEqual({ figures: once, wrong: [] })
    },
    patience,
  )
})

test(
  'TK-10 a process that is stopped before it sends, however long, presents nothing twice',
  async () => {
    const options = { stops: 8, longest: 3, timeouts }
    const { figures, wrong } = await on(backend, (url) => tortureStopped({ url, ...options }))
    expect(wrong).toEqual([])
    expect(figures['presented twice']).toBe(0)
    expect(figures['stops']).toBeGreaterThan(4)
  },
  patience,
)

describe('TK-11 a process that is stopped after it has sent', () => {
  const much = { stops: 4, longest: 2 }

  test(
    'costs no login at a provider with a grace window',
    async () => {
      const options = { ...much, manner: 'grace window' } as const
      const { figures, wrong } = await on(backend, (url) => tortureLost({ url, ...options }))
      expect(wrong).toEqual([])
      expect(figures['lost']).toBe(0)
    },
    patience,
  )

  test(
    'has its token presented once more at most, and a lost login is told',
    async () => {
      const { wrong } = await on(backend, (url) => tortureLost({ url, ...much }))
      expect(wrong).toEqual([])
    },
    patience,
  )
})

test(
  'TK-04 TK-06 tokens that are written late are found by who was refused, and replace no newer ones',
  async () => {
    const { figures, wrong } = await on(backend, (url) => tortureLate({ url, stops: 4 }))
    expect(wrong).toEqual([])
    expect(figures['stops']).toBe(4)
  },
  patience,
)

test(
  'TK-10 a token endpoint slower than the lease is not asked twice within one',
  async () => {
    const options = { processes: 2, seconds: 4, manner: 'grace window' } as const
    const { wrong } = await on(backend, (url) => tortureSlow({ url, ...options }))
    expect(wrong).toEqual([])
  },
  patience,
)

describe('TK-04 a process that is killed in the midst of a refresh', () => {
  test.each(backends)(
    '$name: leaves a record that others can use',
    async (one) => {
      const marks = ['before take', 'after take', 'during write', 'after write'] as const
      const options: Omit<KillsOptions, 'url'> = { kills: 1, marks, lanes: 4 }
      const { figures, wrong } = await on(one, (url) => tortureKills({ url, ...options }))
      expect(wrong).toEqual([])
      expect(figures['kills']).toBe(marks.length)
    },
    patience,
  )

  test(
    'costs no login at a provider with a grace window',
    async () => {
      const options = { kills: 1, marks: [...losing], graceWindow: true, lanes: 4 }
      const { figures, wrong } = await on(backend, (url) => tortureKills({ url, ...options }))
      expect(wrong).toEqual([])
      expect(figures).toMatchObject({ kills: losing.size, lost: 0 })
    },
    patience,
  )
})

test.each(['answers 503', 'hangs'] as const)(
  'TK-07 a token endpoint that %s: good tokens are used, and all processes back off together',
  async (how) => {
    const options = { processes: 2, seconds: 4, how }
    const { wrong } = await on(backend, (url) => tortureDown({ url, ...options }))
    expect(wrong).toEqual([])
  },
  patience,
)
