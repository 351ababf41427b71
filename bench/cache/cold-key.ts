import { cachedFetch } from '../../src/cache/index.ts'
import type { BenchPlace } from '../cache.ts'

const callers = 1_000

/** So many ask at once for what nobody has asked for before: one call upstream. */
export async function coldKey({ upstream }: BenchPlace): Promise<boolean> {
  const cached = cachedFetch(fetch)
  const before = upstream.seen.calls
  const url = `${upstream.origin}/2k?cold`
  await Promise.all(Array.from({ length: callers }, () => cached.json(url)))
  const calls = upstream.seen.calls - before
  console.log(
    `cold key, ${callers} at once: ${calls} upstream calls${calls === 1 ? '' : '  MISSED'}`,
  )
  return calls === 1
}
