import type { Store } from '../../src/stores/store.ts'
import type { MixedRecord } from './mixed-client.ts'

/** What cannot be, in what several clients did on one store; empty when all is well. */
export async function mixedVerdict(
  store: Store,
  records: readonly MixedRecord[],
): Promise<string[]> {
  const wrong = records.flatMap((record) => record.wrong)
  for (const [counter, sum] of sums(records)) {
    const found = await store.get(counter)
    const count = found ? Number(Buffer.from(found.value).toString()) : 0
    if (count !== sum) wrong.push(`${counter} is ${count} after ${sum} was added`)
  }
  return [...wrong, ...overlaps(records.flatMap((record) => record.held))]
}

function sums(records: readonly MixedRecord[]): Map<string, number> {
  const all = new Map<string, number>()
  for (const { counted } of records) {
    for (const [counter, sum] of Object.entries(counted)) {
      all.set(counter, (all.get(counter) ?? 0) + sum)
    }
  }
  return all
}

/** A lease that two held at once. */
export function overlaps(held: MixedRecord['held']): string[] {
  const latest = new Map<string, number>()
  return held
    .toSorted((one, other) => one.from - other.from)
    .flatMap(({ lease, from, to }) => {
      const until = latest.get(lease) ?? -Infinity
      latest.set(lease, Math.max(until, to))
      return from < until ? [`${lease} was held twice for ${(until - from).toFixed(3)} ms`] : []
    })
}
