import type { Chunks } from './head.ts'

const longestSegment = 64

/**
 * The keys of a value's chunks. They begin with the first segment of its own key (all up to a `:`),
 * so that what is cleared by it goes as a whole, and with no more of it: the chunks of `a` are none
 * of the keys that begin with `a:`.
 */
export function chunkKeys(key: string, { id, count }: Chunks): string[] {
  const [segment = ''] = /^[^:]*:/.exec(key) ?? []
  const prefix = segment.length > longestSegment ? '' : segment
  return Array.from({ length: count }, (_, index) => `${prefix}chunk:${id}:${index}`)
}

/** Tells whether a key in the store is that of a chunk, and so nobody's own. */
export function isChunkKey(key: string): boolean {
  return /^(?:[^:]*:)?chunk:[0-9a-f]{24}:\d+$/.test(key)
}
