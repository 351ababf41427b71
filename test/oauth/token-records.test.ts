import { expect, test } from 'vitest'
import { RetiredSecretError } from '../../src/errors.ts'
import { KeyRing } from '../../src/key-ring.ts'
import { isRecordKey } from '../../src/oauth/record-keys.ts'
import { newGrant, type TokenRecord } from '../../src/oauth/token-record.ts'
import { TokenRecords } from '../../src/oauth/token-records.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const [secret, other] = ['a'.repeat(32), 'b'.repeat(32)]
const ada = { kind: 'user', id: 'ada' } as const

function recordOf(accessToken: string): TokenRecord {
  return {
    ...newGrant(),
    provider: 'spotify',
    profile: { subject: 'ada' },
    scope: [],
    authorizedAt: 1,
    tokens: { accessToken, receivedAt: 1 },
  }
}

/** Records of one process, over a store that others can write to. */
async function world(secrets: readonly string[] = [secret]) {
  const store = memoryStore()
  const recordsOf = (ring: readonly string[]) => new TokenRecords(store, new KeyRing(ring), 'test')
  const records = recordsOf(secrets)
  await records.replace(ada, 'spotify', recordOf('first'))
  const token = async (of = records) => (await of.read(ada, 'spotify'))?.record.tokens.accessToken
  const { key } = (await records.read(ada, 'spotify'))!
  const process = (...ring: string[]) => recordsOf(ring)
  return { store, records, token, key, process }
}

test('what another process has written is read at once, however often the record was read before', async () => {
  const { token, process } = await world()
  expect([await token(), await token()]).toEqual(['first', 'first'])
  await process(secret).replace(ada, 'spotify', recordOf('second'))
  expect([await token(), await token()]).toEqual(['second', 'second'])
})

test('what another process has ended is gone at once', async () => {
  const { token, process } = await world()
  expect(await token()).toBe('first')
  await process(secret).forget(ada, 'spotify')
  expect(await token()).toBeUndefined()
})

test('TK-12 a record that was good is none any more once a bit of it has been changed', async () => {
  const { store, token, key } = await world()
  expect(await token()).toBe('first')
  const { value } = (await store.get(key))!
  value[value.length - 1]! ^= 1
  await store.set(key, value)
  expect(await token()).toBeUndefined()
})

test('TK-12 SE-06 a record moved to the key of another user is none there', async () => {
  const { store, records, key } = await world()
  await records.replace({ kind: 'user', id: 'bob' }, 'spotify', recordOf('of Bob'))
  const bob = (await records.read({ kind: 'user', id: 'bob' }, 'spotify'))!
  await store.set(bob.key, (await store.get(key))!.value)
  expect(await records.read({ kind: 'user', id: 'bob' }, 'spotify')).toBeUndefined()
})

test('what a later secret has sealed is not taken for nothing by a process that lacks it', async () => {
  const { token, process } = await world()
  expect(await token()).toBe('first')
  await process(other, secret).replace(ada, 'spotify', recordOf('second'))
  await expect(token()).rejects.toThrow(RetiredSecretError)
  expect(await token(process(secret, other))).toBe('second')
})

test('thousands of users in one process each have their own record', async () => {
  const { records } = await world()
  const users = Array.from({ length: 3_000 }, (_, index) => `user ${index}`)
  for (const id of users) await records.replace({ kind: 'user', id }, 'spotify', recordOf(id))
  for (let round = 0; round < 2; round += 1) {
    for (const id of users) {
      const found = await records.read({ kind: 'user', id }, 'spotify')
      expect(found?.record.tokens.accessToken).toBe(id)
    }
  }
})

test('of many that add a grant at once one does, and all find that one', async () => {
  const { store, process } = await world()
  const { get } = store
  // Whoever looks is looked past by all others first.
  store.get = async (key) => {
    const found = await get.call(store, key)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
    return found
  }
  const mei = { kind: 'user', id: 'mei' } as const
  for (let round = 0; round < 20; round += 1) {
    const owner = { ...mei, id: `mei ${round}` }
    const added = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        process(secret).add(owner, 'spotify', recordOf(`${index}`)),
      ),
    )
    expect(new Set(added.map(({ record }) => record.grantId)).size).toBe(1)
    const there = await process(secret).read(owner, 'spotify')
    expect(there?.record.grantId).toBe(added[0]!.record.grantId)
  }
})

test('what lies beside records is not taken for one', async () => {
  const { store, records, key } = await world()
  for (const beside of [
    `${key}:lease`,
    `${key}:mark`,
    `x${key.slice(0, -1)}`,
    'test:grant:x',
    `${key}0`,
  ]) {
    expect(isRecordKey(beside), beside).toBe(false)
    await store.set(beside, (await store.get(key))!.value)
  }
  expect(isRecordKey(key)).toBe(true)
  const found = []
  for await (const one of records.all()) found.push(one.key)
  expect(found).toEqual([key])
})

test('CVE-2022-39263 the name of a session without its proof opens nothing, and changes nothing', async () => {
  const { records } = await world()
  const owner = { kind: 'session', id: 'name', proof: 'proof' } as const
  await records.replace(owner, 'spotify', recordOf('hers'))
  for (const proof of ['', 'Proof', 'proof ', 'proo', 'another']) {
    expect(await records.read({ ...owner, proof }, 'spotify'), proof).toBeUndefined()
  }
  await records.rebind({ ...owner, proof: 'another' }, 'spotify', 'a thief’s')
  expect(await records.read({ kind: 'user', id: 'name' }, 'spotify')).toBeUndefined()
  expect((await records.read(owner, 'spotify'))?.record.tokens.accessToken).toBe('hers')
})
