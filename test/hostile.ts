import { readFileSync } from 'node:fs'

/** One hostile input and what must become of it. */
export interface HostileRow {
  id: string
  area: string
  // oxlint-disable-next-line typescript/no-explicit-any -- each area has its own shape
  input: any
  expect: {
    outcome: string
    assert: string[]
    status?: number[]
    location?: string
    remaining?: string[]
    note?: string
  }
}

/** The rows of one area, with `$repeat`, `$concat` and `$json` written out. */
export function hostileRows(area: string): HostileRow[] {
  const file = new URL('./hostile.json', import.meta.url)
  const rows = JSON.parse(readFileSync(file, 'utf8')) as HostileRow[]
  const found = rows.filter((row) => row.area === area)
  if (found.length === 0) throw new Error(`No hostile rows of the area ${area}.`)
  return found.map((row) => ({ ...row, input: expand(row.input) }))
}

function expand(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(expand)
  if ('$repeat' in value) {
    const [text, times] = value.$repeat as [string, number]
    return text.repeat(times)
  }
  if ('$concat' in value) return (value.$concat as unknown[]).map((part) => expand(part)).join('')
  if ('$json' in value) return value.$json
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, expand(part)]))
}
