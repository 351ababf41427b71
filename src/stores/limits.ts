/**
 * Checks what every operation of a store is handed: throws a `RangeError` for a key that is not a
 * string of 1 to 1,024 characters, or that backends would fold or cut (NUL, lone surrogates).
 */
export function checkKey(key: string): void {
  if (typeof key !== 'string' || !/^[^\0\p{Surrogate}]{1,1024}$/u.test(key)) {
    throw new RangeError('A key must be well-formed text of 1 to 1,024 characters without NUL.')
  }
}

/** Throws a `RangeError` for a value of more than `maxValueBytes` bytes. */
export function checkValue(value: Uint8Array, maxValueBytes: number): void {
  if (value.byteLength > maxValueBytes) {
    throw new RangeError(
      `The value has ${value.byteLength} bytes; this store takes up to ${maxValueBytes}.`,
    )
  }
}

/**
 * Gives the milliseconds a value lives: `Infinity` without a ttl, 0 when nothing is to be stored.
 * Throws a `RangeError` for a `ttl` (in seconds) that is no number.
 */
export function lifetime(ttl: number | undefined): number {
  if (ttl === undefined) return Infinity
  if (typeof ttl !== 'number' || Number.isNaN(ttl)) {
    throw new RangeError('ttl must be a number of seconds.')
  }
  return Math.max(0, ttl * 1000)
}
