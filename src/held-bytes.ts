/** Under it a `Response` whose body is in memory tells how many bytes that has. */
export const heldBytes = Symbol('behalf: bytes in memory')

/** Can a reply's body be had at once, and is it no longer than so many bytes? */
export function isHeld(response: Response, mostBytes: number): boolean {
  const { [heldBytes]: bytes = Infinity } = response as { [heldBytes]?: number }
  return bytes <= mostBytes
}
