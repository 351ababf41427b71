import { expect, test } from 'vitest'
import { type RequestWithSessionStore, SessionTokens } from '../../src/sessions/session-tokens.ts'

type Row = Record<string, unknown>

/** Two requests of one session, and its store, whose reads are held until they are let go. */
function twoRequests() {
  const rows = new Map<string, string>([['s1', JSON.stringify({ cookie: {}, count: 1 })]])
  const held: Array<() => void> = []
  const sessionStore = {
    get: (id: string, done: (error: unknown, row?: Row | null) => void) => {
      const text = rows.get(id)
      held.push(() => done(null, text === undefined ? null : (JSON.parse(text) as Row)))
    },
    set: (id: string, row: Row, done: (error?: unknown) => void) => {
      rows.set(id, JSON.stringify(row))
      setImmediate(done)
    },
  }
  const request = (): RequestWithSessionStore & { session: Row } => {
    const session: Row = JSON.parse(rows.get('s1')!) as Row
    const save = (done: () => void) => sessionStore.set('s1', session, done)
    const destroy = (done: () => void) => {
      rows.delete('s1')
      setImmediate(done)
    }
    for (const [name, value] of Object.entries({ save, destroy, regenerate: destroy })) {
      Object.defineProperty(session, name, { value, configurable: true, writable: true })
    }
    return { sessionID: 's1', session, sessionStore }
  }
  const letGo = async () => {
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve))
    held.shift()!()
  }
  return { request, letGo, row: () => JSON.parse(rows.get('s1') ?? '{}') as Row }
}

const saved = (session: Row) =>
  new Promise<void>((done) => (session['save'] as (callback: () => void) => void)(done))

test('H1 what the app saves while tokens are written stays, and so do the tokens', async () => {
  const { request, letGo, row } = twoRequests()
  const [one, other] = [request(), request()]
  const tokens = new SessionTokens(one)
  expect(new SessionTokens(other).get('k')).toBeUndefined()
  const writing = tokens.save('k', 'sealed')
  other.session['count'] = 2
  const saving = saved(other.session)
  await letGo()
  await Promise.all([writing, saving])
  expect(row()['count']).toBe(2)
})

test.each(['destroy', 'regenerate'])(
  'LO-03 what the app ends by %s() while tokens are written is not brought back',
  async (end) => {
    const { request, letGo, row } = twoRequests()
    const [one, other] = [request(), request()]
    const [tokens] = [new SessionTokens(one), new SessionTokens(other)]
    const writing = tokens.save('k', 'sealed')
    const ending = new Promise<void>((done) =>
      (other.session[end] as (callback: () => void) => void)(done),
    )
    await letGo()
    await Promise.all([writing, ending])
    expect(row()).toEqual({})
  },
)

test('tokens of two providers that are written at once are both there', async () => {
  const { request, letGo, row } = twoRequests()
  const tokens = new SessionTokens(request())
  const writing = [tokens.save('a', 'one'), tokens.save('b', 'two')]
  await letGo()
  await letGo()
  await Promise.all(writing)
  expect(row()['behalfTokens']).toEqual({ a: 'one', b: 'two' })
})

test('req.session does not change, so that nothing else of it is written', async () => {
  const { request, letGo } = twoRequests()
  const one = request()
  const before = JSON.stringify(one.session)
  const tokens = new SessionTokens(one)
  const writing = tokens.save('k', 'sealed')
  await letGo()
  await writing
  expect(JSON.stringify(one.session)).toBe(before)
  expect(tokens.get('k')).toBe('sealed')
})

test('a session that was ended meanwhile stays so', async () => {
  const { request, letGo, row } = twoRequests()
  const one = request()
  const tokens = new SessionTokens(one)
  const writing = tokens.save('k', 'sealed')
  Object.assign(one, { session: undefined })
  await letGo()
  await writing
  expect(row()['behalfTokens']).toBeUndefined()
})

test('a save that fails tells so', async () => {
  const { request } = twoRequests()
  const one = request()
  const fails = () => {
    throw new Error('no')
  }
  Object.defineProperty(one.session, 'save', { value: fails, configurable: true })
  expect(new SessionTokens(one).isOpen()).toBe(true)
  const error = await new Promise((done) =>
    (one.session['save'] as (callback: unknown) => void)(done),
  )
  expect(String(error)).toBe('Error: no')
})
