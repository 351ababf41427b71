/**
 * Adds to the decimal digits under a key; what is absent is 0. Throws a `RangeError` where there is
 * no safe integer, or the sum would be none.
 */
export function addToDigits(digits: Uint8Array | undefined, by: number): number {
  const sum = (digits ? readDigits(digits) : 0) + by
  if (Number.isSafeInteger(sum)) return sum
  throw notCountable()
}

/** The error of a value that cannot be counted up. */
export function notCountable(): RangeError {
  return new RangeError('What is under this key, or the sum, is no safe integer.')
}

function readDigits(digits: Uint8Array): number {
  const text = digits.byteLength <= 17 ? Buffer.from(digits).toString('latin1') : ''
  const count = Number(text)
  if (!/^-?\d{1,16}$/.test(text) || !Number.isSafeInteger(count)) throw notCountable()
  return count
}
