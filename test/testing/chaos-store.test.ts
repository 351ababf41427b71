import { expect, test } from 'vitest'
import { KeyRing } from '../../src/key-ring.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sealed } from '../../src/stores/sealed.ts'
import { chaosStore } from '../../src/testing/stores/chaos-store.ts'
import type { Chaos } from '../../src/testing/stores/chaos-store.ts'
import { storeContract } from '../../src/testing/stores/store-contract.ts'

const bytes = (text: string) => Buffer.from(text)
const text = (found: { value: Uint8Array } | undefined) =>
  found && Buffer.from(found.value).toString()

async function filled(chaos: Chaos[], seed?: string) {
  const inner = memoryStore()
  await inner.set('alice', bytes('of alice'))
  await inner.set('bob', bytes('of bob'))
  return { inner, store: chaosStore(inner, chaos, seed) }
}

// oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- both are in the contract
for (const { title, run } of storeContract(() => chaosStore(memoryStore(), []))) test(title, run)

test('a call that throws did nothing', async () => {
  const { inner, store } = await filled([{ fault: 'throw', calls: [2] }])
  expect(text(await store.get('alice'))).toBe('of alice')
  await expect(store.set('alice', bytes('new'))).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(text(await inner.get('alice'))).toBe('of alice')
  await store.set('alice', bytes('new'))
  expect(text(await inner.get('alice'))).toBe('new')
})

test('a call that is delayed is done later', async () => {
  const { store } = await filled([{ fault: 'delay', seconds: 0.1 }])
  const startedAt = performance.now()
  expect(text(await store.get('alice'))).toBe('of alice')
  expect(performance.now() - startedAt).toBeGreaterThan(90)
})

test('what is corrupt has one bit flipped, in what is read and not in what is stored', async () => {
  const { inner, store } = await filled([{ fault: 'corrupt' }])
  const [whole, read] = [bytes('of alice'), (await store.get('alice'))?.value ?? bytes('')]
  const flipped = whole.map((byte, index) => byte ^ (read[index] ?? 0)).filter(Boolean)
  expect(flipped).toHaveLength(1)
  expect([1, 2, 4, 8, 16, 32, 64, 128]).toContain(flipped[0])
  expect(text(await inner.get('alice'))).toBe('of alice')
})

test('what is dropped seems written, and is absent when read', async () => {
  const { inner, store } = await filled([{ fault: 'drop', operations: ['set'], calls: [1] }])
  await store.set('alice', bytes('new'))
  expect(text(await inner.get('alice'))).toBe('of alice')
  await store.set('alice', bytes('new'))
  expect(text(await inner.get('alice'))).toBe('new')
  const reading = await filled([{ fault: 'drop', operations: ['get'] }])
  expect(await reading.store.get('alice')).toBeUndefined()
})

test('what is swapped is the value of the key that was read before, which a seal does not open', async () => {
  const { store } = await filled([{ fault: 'swap', calls: [2] }])
  expect(text(await store.get('alice'))).toBe('of alice')
  expect(text(await store.get('bob'))).toBe('of alice')
  expect(text(await store.get('bob'))).toBe('of bob')
  const keyRing = new KeyRing(['0123456789abcdef0123456789abcdef'])
  const safe = sealed(chaosStore(memoryStore(), [{ fault: 'swap', calls: [2] }]), keyRing)
  await safe.set('alice', bytes('of alice'))
  await safe.set('bob', bytes('of bob'))
  expect([text(await safe.get('alice')), text(await safe.get('bob'))]).toEqual([
    'of alice',
    undefined,
  ])
})

test('a rate is kept, and the same seed gives the same course of events', async () => {
  const course = async (seed: string) => {
    const { store } = await filled([{ fault: 'throw', rate: 0.3 }], seed)
    const outcomes: boolean[] = []
    for (let call = 0; call < 500; call += 1) {
      outcomes.push(
        await store.get('alice').then(
          () => true,
          () => false,
        ),
      )
    }
    return outcomes
  }
  const first = await course('one')
  expect(await course('one')).toEqual(first)
  expect(await course('two')).not.toEqual(first)
  const failed = first.filter((ok) => !ok).length
  expect(failed).toBeGreaterThan(100)
  expect(failed).toBeLessThan(200)
})

test('operations on many keys know the same faults', async () => {
  const { inner, store } = await filled([
    { fault: 'drop', operations: ['setMany', 'deleteMany'], calls: [1, 2] },
    { fault: 'swap', operations: ['getMany'] },
    { fault: 'throw', operations: ['keys', 'increment'] },
  ])
  await store.setMany?.([['alice', bytes('new')]])
  expect(await store.deleteMany?.(['alice', 'bob'])).toBe(2)
  expect(text(await inner.get('alice'))).toBe('of alice')
  const swapped = await store.getMany?.(['alice', 'bob'])
  expect(swapped?.map(text)).toEqual(['of alice', 'of alice'])
  await expect(store.increment?.('count', 1)).rejects.toThrow('ECONNRESET')
  await expect(store.keys?.('')[Symbol.asyncIterator]().next()).rejects.toThrow('ECONNRESET')
})
