import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { LogoutArena, sessionKinds } from './logout-arena.ts'

/** How much is tried. */
export interface LogoutTortureOptions {
  /** Decides the order of everything; an interleaving depends on it and on its own number only. */
  seed: string
  interleavings: number
  /** The number of the first one. Default 0. */
  first?: number
  /** Is told of each interleaving that is over. */
  progress?: () => void
}

/** What came of it; nothing wrong is an empty list. */
export interface LogoutTortureResult {
  /** Interleavings in which the logout was answered: of the others nothing is promised. */
  loggedOut: number
  /** Refreshes that brought tokens in all of them. */
  refreshes: number
  /** Different orders of steps. */
  orders: number
  wrong: string[]
}

/**
 * Logs out while calls refresh tokens and slow requests save the session, each time in another
 * order of all their steps, and looks whether anything that was logged out comes back.
 */
export async function tortureLogouts(options: LogoutTortureOptions): Promise<LogoutTortureResult> {
  const { seed, interleavings, first = 0, progress } = options
  const result: LogoutTortureResult = { loggedOut: 0, refreshes: 0, orders: 0, wrong: [] }
  const orders = new Set<string>()
  const arenas = await Promise.all(sessionKinds.map((kind) => LogoutArena.open(kind)))
  try {
    for (let index = first; index < first + interleavings; index += 1) {
      const arena = arenas[index % arenas.length]!
      const random = new SeededRandom(`${seed} ${index}`)
      const { loggedOut, refreshes, wrong } = await arena.interleave(random)
      result.loggedOut += loggedOut ? 1 : 0
      result.refreshes += refreshes
      const order = arena.order.join(' | ')
      orders.add(order)
      result.wrong.push(...wrong.map((what) => `interleaving ${index}: ${what}: ${order}`))
      progress?.()
    }
  } finally {
    await Promise.all(arenas.map((arena) => arena.close()))
  }
  return { ...result, orders: orders.size }
}
