import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../src/stores/store.ts'
import type { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { now } from './clock.ts'
import type { Call } from './linearizable.ts'

/** Makes some calls on one key, as other clients do at the same time, and records them. */
export async function recordHistory(
  store: Store,
  key: string,
  client: string,
  random: SeededRandom,
): Promise<Call[]> {
  const calls: Call[] = []
  let known: { value: string; version: string } | undefined
  for (let index = 0; index < 8; index += 1) {
    if (random.next() < 0.3) await sleep(random.next() * 2)
    const value = `${client}.${index}`
    const kind = random.next()
    const from = now()
    const record = (call: Omit<Call, 'from' | 'to'>) => calls.push({ from, to: now(), ...call })
    if (kind < 0.4) {
      const found = await store.get(key)
      known = found && { value: text(found.value), version: found.version }
      record({ operation: 'get', result: known?.value ?? null })
    } else if (kind < 0.5) {
      await store.set(key, Buffer.from(value))
      record({ operation: 'set', value, result: true })
    } else if (kind < 0.9) {
      const version = await store.compareAndSwap(key, known?.version, Buffer.from(value))
      const expected = known?.value ?? null
      record({ operation: 'compareAndSwap', expected, value, result: version !== undefined })
      if (version !== undefined) known = { value, version }
    } else if (known && kind < 0.95) {
      const result = await store.compareAndDelete(key, known.version)
      record({ operation: 'compareAndDelete', expected: known.value, result })
    } else record({ operation: 'delete', result: await store.delete(key) })
  }
  return calls
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}
