import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { TokenStore } from '../../src/oauth/token-store.ts'
import { PlacedStore } from '../../src/oauth/placed-store.ts'
import { createBehalf } from '../../src/middleware/behalf.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor, storeContract } from '../../src/testing/index.ts'
import { secret, useWorld } from '../middleware/express-app.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.api.reset()
})
afterEach(() => void vi.restoreAllMocks())

/** A table of the app's own, as simple as can be. */
function table() {
  const rows = new Map<string, { value: string; endsAt: number }>()
  const place: TokenStore = {
    get: (key) => {
      const row = rows.get(key)
      return row && row.endsAt > Date.now() ? row.value : undefined
    },
    save: (key, value, { ttl }) => {
      rows.set(key, { value, endsAt: ttl === undefined ? Infinity : Date.now() + ttl * 1000 })
    },
    delete: (key) => void rows.delete(key),
  }
  return { rows, place }
}

/** What stands beside a place is gone after a quarter of an hour. */
function quarterLater(): void {
  const now = Date.now() + 901_000
  vi.spyOn(Date, 'now').mockImplementation(() => now)
  const monotonic = performance.now() + 901_000
  vi.spyOn(performance, 'now').mockImplementation(() => monotonic)
}

describe('a store over a place that cannot compare', () => {
  const contract = storeContract(
    () => new PlacedStore(table().place, memoryStore(), { longest: 60 }),
  )
  // oxlint-disable-next-line vitest/expect-expect -- the contract's cases assert
  test.each(contract.map(({ title, run }) => [title, run] as const))('%s', (_title, run) => run())

  const bytes = (text: string) => Buffer.from(text)
  const key = 'test:grant:1'

  async function placed() {
    const { rows, place } = table()
    const beside = memoryStore()
    const store = new PlacedStore(place, beside, { longest: 3_600 })
    const version = (await store.compareAndSwap(key, undefined, bytes('first')))!
    const text = async () => {
      const found = await store.get(key)
      return found && Buffer.from(found.value).toString()
    }
    return { rows, place, beside, store, version, text }
  }

  test('a value written back late is healed', async () => {
    const { rows, store, version, text } = await placed()
    const old = { ...rows.get(key)! }
    await store.compareAndSwap(key, version, bytes('second'))
    rows.set(key, old)
    expect(await text()).toBe('second')
    expect(Buffer.from(rows.get(key)!.value, 'base64url').toString()).toBe('second')
  })

  test('what was deleted is not brought back by a late write, and a new login may follow', async () => {
    const { rows, store, version, text } = await placed()
    const old = { ...rows.get(key)! }
    expect(await store.compareAndDelete(key, version)).toBe(true)
    rows.set(key, old)
    expect(await text()).toBeUndefined()
    quarterLater()
    expect(await text()).toBeUndefined()
    expect(await store.compareAndSwap(key, undefined, bytes('new'))).toBeDefined()
    expect(await text()).toBe('new')
  })

  test('the place has it alone after a quarter of an hour, and writes still compare', async () => {
    const { store, text, beside } = await placed()
    const besideIt = async () => Buffer.from((await beside.get(`${key}:beside`))!.value).toString()
    quarterLater()
    expect(await besideIt()).toContain('first')
    expect(await text()).toBe('first')
    expect(await besideIt()).not.toContain('first')
    expect(await text()).toBe('first')
    const { version } = (await store.get(key))!
    const written = await Promise.all(
      ['a', 'b', 'c'].map((value) => store.compareAndSwap(key, version, bytes(value))),
    )
    expect(written.filter((one) => one !== undefined)).toHaveLength(1)
    expect(await store.compareAndSwap(key, undefined, bytes('d'))).toBeUndefined()
  })

  test('what the store had before there was a place moves there', async () => {
    const { rows, place } = table()
    const before = memoryStore()
    await before.compareAndSwap(key, undefined, bytes('before'))
    const store = new PlacedStore(place, before, { longest: 3_600 })
    expect(Buffer.from((await store.get(key))!.value).toString()).toBe('before')
    expect(rows.size).toBe(1)
    expect(await before.get(key)).toBeUndefined()
  })

  test('a new value whose place fails is none', async () => {
    const { rows, place } = table()
    const { save } = place
    place.save = () => Promise.reject(new Error('hush'))
    const store = new PlacedStore(place, memoryStore(), { longest: 3_600 })
    await expect(store.compareAndSwap(key, undefined, bytes('x'))).rejects.toThrow(/tokenStore/)
    place.save = save
    expect(await store.get(key)).toBeUndefined()
    expect(rows.size).toBe(0)
  })

  test('a row that could not be deleted is deleted by the next read', async () => {
    const { rows, place, store, version } = await placed()
    const { delete: remove } = place
    place.delete = () => Promise.reject(new Error('hush'))
    expect(await store.compareAndDelete(key, version)).toBe(true)
    place.delete = remove
    expect(await store.get(key)).toBeUndefined()
    expect(rows.size).toBe(0)
  })

  test('a place that hangs is given up', async () => {
    const { place, store } = await placed()
    place.get = () => new Promise(() => {})
    await expect(store.get(key)).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  test('a place that fails is store_unavailable, and its error is not told', async () => {
    const { place, store, version } = await placed()
    place.get = () => Promise.reject(new Error('hush'))
    await expect(store.get(key)).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(store.get(key)).rejects.not.toThrow(/hush/)
    place.save = () => {
      throw new Error('hush')
    }
    expect(await store.compareAndSwap(key, version, bytes('second'))).toBeDefined()
  })
})

describe('tokenStore: an object of the app’s own', () => {
  function app(place: TokenStore, store = memoryStore()) {
    return createBehalf({
      secret,
      store,
      tokenStore: place,
      providers: { spotify: world.spotify },
      user: () => undefined,
    })
  }

  test('keeps the records, sealed; several processes present each refresh token once', async () => {
    const { rows, place } = table()
    const store = memoryStore()
    const auth = app(place, store)
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const [[key, { value }] = ['', { value: '' }]] = rows
    expect(key).toMatch(/^behalf:grant:[0-9a-f]{64}$/)
    expect(Buffer.from(value, 'base64url').toString('latin1')).not.toMatch(/access|ada/)

    quarterLater()
    const others = [auth, app(place, store), app(place, store)]
    const tokens = await Promise.all(
      others.flatMap((one) =>
        Array.from({ length: 10 }, async () => {
          const handler = (await one.forUser('u1')).tokens.spotify
          return handler.getAccessToken({ minValidity: 3_000 })
        }),
      ),
    )
    expect(new Set(tokens).size).toBe(1)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
  })

  test('that fails is a 503, and nobody is logged out', async () => {
    const { place } = table()
    const auth = app(place)
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const { get } = place
    place.get = () => Promise.reject(new Error('hush'))
    const { api } = await auth.forUser('u1')
    await expect(api.spotify.get('me')).rejects.toMatchObject({ code: 'store_unavailable' })
    place.get = get
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
  })
})
