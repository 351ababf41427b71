import { after } from 'next/server.js'
import { processState } from '../process-state.ts'
import { Behalf } from './behalf.ts'
import { markOf } from './option-mark.ts'
import { type BehalfOptions, callbacks, type Providers } from './options.ts'

/** The options of one configuration, as they were handed in last, and the core made of them. */
interface Seat {
  options: BehalfOptions<Providers, never>
  core?: Behalf
}

/**
 * Gives the core of these options at each call, made at the first: `next build` loads modules
 * without secrets. In a Next.js server it is one for all modules that are loaded several times with
 * the same options (proxy, pages, routes, reloads while developing).
 */
export function coreFor<P extends Providers>(options: BehalfOptions<P, never>): () => Behalf<P> {
  const seat = seatFor(options)
  return () => (seat.core ??= new Behalf<Providers>(latestOf(seat))) as Behalf<P>
}

function seatFor(options: BehalfOptions<Providers, never>): Seat {
  const mark = process.env['NEXT_RUNTIME'] === 'nodejs' ? markOf(options) : undefined
  if (mark === undefined) return { options }
  const seats = processState('next cores', () => new Map<string, Seat>())
  const seat = seats.get(mark) ?? { options }
  seat.options = options
  seats.set(mark, seat)
  return seat
}

/** The options, whose callbacks are always those of the module that was loaded last. */
function latestOf(seat: Seat): BehalfOptions<Providers, never> {
  const latest = callbacks
    .filter((name) => seat.options[name] !== undefined)
    .map((name) => {
      const call = (...given: unknown[]): unknown =>
        (seat.options[name] as ((...parts: unknown[]) => unknown) | undefined)?.(...given)
      return [name, call] as const
    })
  // Outside a request Next throws; then the process goes on by itself anyway.
  const waitUntil = (work: Promise<unknown>) => after(work)
  return { ...seat.options, waitUntil, ...Object.fromEntries(latest) }
}
