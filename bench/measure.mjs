/** Milliseconds that so many calls take, `atATime` of them under way. */
export async function measure(call, { calls, atATime }) {
  let left = calls
  const lane = async () => {
    while (left > 0) {
      left -= 1
      await call()
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: atATime }, lane))
  return performance.now() - startedAt
}
