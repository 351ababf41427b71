/**
 * The safe integer whose digits `value` is, written as integers are and in no other way, so that the
 * digits can be had back from it. Backends that can add keep it as a number.
 */
export function integerOf(value: Uint8Array): bigint | undefined {
  if (value.byteLength > 17) return undefined
  const text = String.fromCharCode(...value)
  const isInteger = /^(?:0|-?[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text))
  return isInteger ? BigInt(text) : undefined
}
