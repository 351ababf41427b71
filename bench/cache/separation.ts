import { cachedFetch } from '../../src/cache/index.ts'
import type { BenchPlace } from '../cache.ts'

/** Two users ask for the same, A A B B: one call upstream for each of them. */
export async function separation({ upstream }: BenchPlace): Promise<boolean> {
  const partition = ({ headers }: { headers: Pick<Headers, 'get'> }) =>
    headers.get('authorization') ?? undefined
  const cached = cachedFetch(fetch, { partition, secret: 's'.repeat(32) })
  const before = upstream.seen.calls
  for (const user of ['ada', 'ada', 'bea', 'bea']) {
    const headers = { authorization: `Bearer ${user}` }
    await cached.json(`${upstream.origin}/2k?separation`, { headers })
  }
  const calls = upstream.seen.calls - before
  console.log(`two users, A A B B: ${calls} upstream calls${calls === 2 ? '' : '  MISSED'}`)
  return calls === 2
}
