/** What every process is to drop from its memory. */
export type Dropped = { keys: readonly string[] } | { prefix: string }

/** Everything. */
export const everyKey: Dropped = { prefix: '' }

/** Characters; what would be longer is told as {@link everyKey}. */
const longest = 65_536

/** Writes a notice down; `from` names the process that has dropped it already. */
export function encodeDropped(from: string, dropped: Dropped): string {
  const text = JSON.stringify({ from, ...dropped })
  return text.length <= longest ? text : JSON.stringify({ from, ...everyKey })
}

/**
 * Reads a notice; `undefined` for one of `self`. What cannot be read may have been about anything,
 * and drops everything.
 */
export function decodeDropped(self: string, notice: string): Dropped | undefined {
  if (notice.length > longest) return everyKey
  const { from, keys, prefix } = parse(notice)
  if (from === self) return undefined
  if (typeof prefix === 'string') return { prefix }
  const isList = Array.isArray(keys) && keys.every((key) => typeof key === 'string')
  return isList ? { keys } : everyKey
}

function parse(notice: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(notice)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
