/** What is read and written: 2 KB, as a stored response of an API has. */
export const value = Buffer.alloc(2048, 'x')

/** Gives the names of so many keys in turn, as behalf makes them. */
export function keysInTurn(count: number): () => string {
  const keys = Array.from({ length: count }, (_, index) => `behalf:response:0123456789ab:${index}`)
  let next = 0
  return () => {
    next = (next + 1) % count
    return keys[next]!
  }
}
