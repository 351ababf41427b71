import { readFileSync } from 'node:fs'

/** One row of test/hostile.json; `input` has its `$json` and `$repeat` already expanded. */
export interface HostileRow {
  id: string
  input: unknown
}

const all = JSON.parse(readFileSync(new URL('../hostile.json', import.meta.url), 'utf8')) as Array<
  HostileRow & { area: string }
>

/** The rows of one area, which must not be empty. */
export function hostileRows(area: string): HostileRow[] {
  const rows = all.filter((row) => row.area === area)
  if (rows.length === 0) throw new Error(`hostile.json has no rows of ${area}`)
  return rows.map(({ id, input }) => ({ id, input: expand(input) }))
}

function expand(input: unknown): unknown {
  if (typeof input !== 'object' || input === null) return input
  if ('$json' in input) return input.$json
  if ('$repeat' in input) {
    const [text, count] = input.$repeat as [string, number]
    return text.repeat(count)
  }
  return input
}
