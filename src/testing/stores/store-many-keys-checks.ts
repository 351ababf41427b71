import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store, StoredValue } from '../../stores/store.ts'
import { bytes, checksOf, holds, isAbsent, versionOf } from './store-checks.ts'
import type { StoreChecks } from './store-checks.ts'

const listing = checksOf('keys', {
  'keys lists what begins with the prefix, each once and nothing else': async (store, key) => {
    const names = ['a', 'a:b', 'a_b', 'axb', 'a*', 'a?', 'a%', 'a[b]', 'a\\', 'aé', 'b', 'A']
    for (const name of names) await store.set(key(name), bytes(name))
    assert.deepEqual(await listed(store, key('')), names.map(key).toSorted())
    for (const [prefix, found] of Object.entries({
      'a:': ['a:b'],
      a_: ['a_b'],
      'a*': ['a*'],
      'a?': ['a?'],
      'a%': ['a%'],
      'a[': ['a[b]'],
      'a\\': ['a\\'],
      A: ['A'],
      z: [],
    })) {
      assert.deepEqual(await listed(store, key(prefix)), found.map(key), prefix)
    }
  },
  'keys leaves out what has expired': async (store, key) => {
    await store.set(key('short'), bytes('value'), { ttl: 0.05 })
    await store.set(key('long'), bytes('value'), { ttl: 60 })
    await sleep(100)
    assert.deepEqual(await listed(store, key('')), [key('long')])
  },
  'keys lists thousands': async (store, key) => {
    const names = Array.from({ length: 2_500 }, (_, index) => key(`many ${index}`))
    for (let at = 0; at < names.length; at += 250) {
      const some = names.slice(at, at + 250)
      await Promise.all(some.map((name) => store.set(name, bytes('value'), { ttl: 120 })))
    }
    assert.deepEqual(await listed(store, key('many ')), names.toSorted())
  },
  'clear deletes what begins with the prefix and nothing else': async (store, key) => {
    for (const name of ['user:1:a', 'user:1:b', 'user:10:a', 'user', 'other']) {
      await store.set(key(name), bytes(name))
    }
    await store.clear(key('user:1:'))
    assert.deepEqual(
      await listed(store, key('')),
      ['other', 'user', 'user:10:a'].map(key).toSorted(),
    )
    await isAbsent(store, key('user:1:a'))
    await store.clear(key('user:*'))
    await holds(store, key('user:10:a'), bytes('user:10:a'))
  },
})

const clearing = checksOf('clear', {
  'clear of all that has one first segment leaves the others, which can be used again': async (
    store,
    key,
  ) => {
    const other = `x${key('')}`
    await store.set(key('a'), bytes('a'))
    const version = await versionOf(store, key('a'))
    await store.set(other, bytes('other'), { ttl: 60 })
    await store.clear(key(''))
    await isAbsent(store, key('a'))
    assert.equal(await store.compareAndSwap(key('a'), version, bytes('old')), undefined)
    assert.equal(await store.delete(key('a')), false)
    await holds(store, other, bytes('other'))
    await store.set(key('a'), bytes('new'))
    await holds(store, key('a'), bytes('new'))
    await store.delete(other)
  },
})

const reading = checksOf('getMany', {
  'getMany finds many in the order in which they were asked for': async (store, key) => {
    const names = Array.from({ length: 250 }, (_, index) => key(`item ${index}`))
    await Promise.all(names.map((name) => store.set(name, bytes(name), { ttl: 60 })))
    const asked = [...names.toReversed(), key('absent'), names[3] ?? '', names[3] ?? '']
    const found = await store.getMany(asked)
    const texts = found.map((entry) => entry && Buffer.from(entry.value).toString())
    assert.deepEqual(texts, [...names.toReversed(), undefined, names[3], names[3]])
    assert.equal(found[0]?.version, await versionOf(store, names.at(-1) ?? ''))
    assert.deepEqual(await store.getMany([]), [])
  },
  'getMany leaves out what has expired': async (store, key) => {
    await store.set(key('short'), bytes('value'), { ttl: 0.05 })
    await sleep(100)
    assert.deepEqual(await store.getMany([key('short'), key('absent')]), [undefined, undefined])
  },
})

const holding = checksOf('atHand', {
  'atHand gives what is in memory at once, and nothing that has gone': async (store, key) => {
    await store.set(key('a'), bytes('value a'), { ttl: 60 })
    await store.set(key('short'), bytes('value'), { ttl: 0.05 })
    await store.set(key('gone'), bytes('value'))
    await store.getMany([key('a'), key('short'), key('gone')])
    await store.delete(key('gone'))
    await sleep(100)
    const found = store.atHand([key('a'), key('short'), key('gone'), key('absent'), ''])
    if (!found) return
    const texts = found.map((entry) => entry && Buffer.from(entry.value).toString())
    assert.deepEqual(texts, ['value a', undefined, undefined, undefined, undefined])
    assert.equal(found[0]?.version, await versionOf(store, key('a')))
  },
  'atHand gives what get finds, after each kind of write': async (store, key) => {
    const name = key('a')
    const current = async () => (await versionOf(store, name)) ?? ''
    const writes: Array<() => unknown> = [
      () => store.set(name, bytes('set'), { ttl: 60 }),
      () => store.set(name, bytes('set again')),
      async () => store.compareAndSwap(name, await current(), bytes('swapped')),
      () => store.compareAndSwap(name, 'another version', bytes('not swapped')),
      () => store.setMany?.([[name, bytes('among many')]]),
      () => store.expire?.(name, 60),
      async () => store.compareAndDelete(name, await current()),
      () => store.compareAndSwap(name, undefined, bytes('created')),
      () => store.deleteMany?.([name]),
      () => store.increment?.(name, 1),
      () => store.increment?.(name, 41),
      () => store.set(name, bytes('0 s'), { ttl: 0 }),
      () => store.set(name, bytes('to be cleared')),
      () => store.clear?.(name),
      () => store.set(name, bytes('to be deleted')),
      () => store.delete(name),
    ]
    for (const write of writes) {
      await write()
      const [found] = store.atHand([name]) ?? [await store.get(name)]
      assert.deepEqual(plain(found), plain(await store.get(name)))
    }
  },
})

function plain(found: StoredValue | undefined): unknown {
  return found && [found.version, Buffer.from(found.value).toString()]
}

const writing = checksOf('setMany', {
  'setMany writes many with one ttl, the last one of equal keys': async (store, key) => {
    const entries = Array.from(
      { length: 250 },
      (_, index) => [key(`item ${index}`), bytes(`${index}`)] as const,
    )
    await store.setMany([...entries, [key('item 0'), bytes('again')]], { ttl: 60 })
    await holds(store, key('item 0'), bytes('again'))
    await holds(store, key('item 249'), bytes('249'))
    await store.setMany(entries.slice(0, 2), { ttl: 0.05 })
    await store.setMany(entries.slice(2, 4), { ttl: 0 })
    await store.setMany([])
    await sleep(100)
    for (const [name] of entries.slice(0, 4)) await isAbsent(store, name)
    await holds(store, key('item 4'), bytes('4'))
  },
})

const deleting = checksOf('deleteMany', {
  'deleteMany tells how many there were': async (store, key) => {
    const names = Array.from({ length: 250 }, (_, index) => key(`item ${index}`))
    await Promise.all(names.map((name) => store.set(name, bytes(name), { ttl: 60 })))
    await store.set(key('stays'), bytes('stays'))
    assert.equal(await store.deleteMany([...names, key('absent')]), 250)
    assert.equal(await store.deleteMany(names), 0)
    assert.equal(await store.deleteMany([]), 0)
    await isAbsent(store, key('item 7'))
    await holds(store, key('stays'), bytes('stays'))
  },
})

/** The operations on many keys that a store may have. */
export const manyKeysChecks: StoreChecks = {
  ...listing,
  ...clearing,
  ...reading,
  ...holding,
  ...writing,
  ...deleting,
}

async function listed(store: Required<Store>, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const key of store.keys(prefix)) found.push(key)
  return found.toSorted()
}
