/**
 * Adds to the decimal digits under a key; what is absent is 0. Throws a `RangeError` where there is
 * no safe integer, or the sum would be none.
 */
export function addToDigits(digits: Uint8Array | undefined, by: number): number {
  const count = digits ? readDigits(digits) : 0
  if (count !== undefined && Number.isSafeInteger(count + by)) return count + by
  throw notCountable()
}

/** The error of a value that cannot be counted up. */
export function notCountable(): RangeError {
  return new RangeError('What is under this key, or the sum, is no safe integer.')
}

/** The safe integer whose decimal digits these are, or `undefined`. */
export function readDigits(digits: Uint8Array): number | undefined {
  const text = digits.byteLength <= 17 ? Buffer.from(digits).toString('latin1') : ''
  const count = Number(text)
  return /^-?\d{1,16}$/.test(text) && Number.isSafeInteger(count) ? count : undefined
}
