import { Recent } from '../../recent.ts'

/** What came of a call upstream: `T` is what a caller gets, such as a `Response`. */
export type Outcome<T> =
  /** Whoever asked for the same may have it; `reply` makes one for each. */
  | { shared: true; reply: () => T }
  /**
   * Of one caller only: what must not be stored, or is too long to be held in memory. `response` is
   * upstream's own; its body is let go of when nobody is there to read it.
   */
  | { shared: false; reply: T; response: Response }

/** Calls upstream; `signal`, where there is one, ends the whole exchange, its body included. */
export type Call<T> = (signal: AbortSignal | undefined) => Promise<Outcome<T>>

/** A caller's own reply, and whether another one's call brought it (RFC 9211 section 2.6). */
export interface Collapsed<T> {
  reply: T
  collapsed: boolean
}

/** So many calls are under way at most that others may join. */
const mostFlights = 10_000

/** Seconds for which the calls of a key go side by side after a reply that could not be shared. */
export const hitForMiss = 120

/**
 * Makes one upstream call of equal ones at the same time (RFC 9111 section 4), in this process.
 *
 * A caller who aborts leaves alone; the last one out aborts the call. An error is everybody's. A
 * reply that is one caller's only is the first one's: all others are released together, each to a
 * call of its own, and for two minutes nobody waits for that key again. Replies about the moment
 * (429, 5xx) leave no such mark.
 */
export class Collapsing<T> {
  readonly #flights = new Map<string, Flight<T>>()
  /** Until when, on the clock of `performance.now()`. */
  readonly #apart = new Recent<number>(10_000)

  /**
   * `key` names what is asked for and for whom: the partition is part of it. `signal` is this
   * caller's, who never leaves without one, and must live as long as the reply; rejects with its
   * reason, or as `call` does.
   */
  async fetch(key: string, signal: AbortSignal | undefined, call: Call<T>): Promise<Collapsed<T>> {
    signal?.throwIfAborted()
    const joined = this.#flights.get(key)
    const outcome = joined ? await joined.follow(signal) : await this.#lead(key, signal, call)
    if (outcome.shared) return { reply: outcome.reply(), collapsed: joined !== undefined }
    if (!joined) return { reply: outcome.reply, collapsed: false }
    const own = await call(signal)
    return { reply: own.shared ? own.reply() : own.reply, collapsed: false }
  }

  #lead(key: string, signal: AbortSignal | undefined, call: Call<T>): Promise<Outcome<T>> {
    const isApart = (this.#apart.get(key) ?? 0) > performance.now()
    if (isApart || this.#flights.size >= mostFlights) return this.#noted(key, call(signal))
    const leave = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    const noted = (ends: AbortSignal | undefined) => this.#noted(key, call(ends)).finally(leave)
    // A signal makes a fetch dearer, and of a caller who never leaves it would never abort.
    const flight = new Flight(noted, signal && new AbortController(), leave)
    this.#flights.set(key, flight)
    return signal ? flight.lead(signal) : flight.follow(signal)
  }

  async #noted(key: string, landing: Promise<Outcome<T>>): Promise<Outcome<T>> {
    const outcome = await landing
    if (outcome.shared) this.#apart.delete(key)
    else if (isLasting(outcome.response))
      this.#apart.set(key, performance.now() + hitForMiss * 1000)
    return outcome
  }
}

/** Whether a reply that cannot be shared says that the next ones cannot be either. */
export function isLasting({ status }: Response): boolean {
  return status !== 429 && status < 500
}

/** One upstream call, and who waits for it. */
class Flight<T> {
  readonly outcome: Promise<Outcome<T>>
  /** `undefined` where nothing is to end the call. */
  readonly #controller: AbortController | undefined
  readonly #abandoned: () => void
  #callers = 0

  constructor(call: Call<T>, controller: AbortController | undefined, abandoned: () => void) {
    this.#controller = controller
    this.#abandoned = abandoned
    this.outcome = call(controller?.signal)
  }

  /** A reply that cannot be shared is the leader's, whose signal then ends the rest of its body. */
  async lead(signal: AbortSignal): Promise<Outcome<T>> {
    const discard = (outcome: Outcome<T>) => {
      // Nobody else reads it.
      if (!outcome.shared) outcome.response.body?.cancel(signal.reason).catch(() => {})
    }
    const isGone = () => this.outcome.then(discard).catch(() => {})
    signal.addEventListener('abort', isGone, { once: true })
    const outcome = await this.follow(signal)
    signal.removeEventListener('abort', isGone)
    if (!outcome.shared) this.#end(signal)
    return outcome
  }

  /** Rejects with the signal's reason as soon as it aborts, whatever becomes of the call. */
  follow(signal: AbortSignal | undefined): Promise<Outcome<T>> {
    this.#callers += 1
    if (!signal) return this.outcome
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#callers -= 1
        if (this.#callers === 0) this.#abandon(signal.reason)
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      this.outcome.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
    })
  }

  #end(signal: AbortSignal): void {
    signal.addEventListener('abort', () => this.#controller?.abort(signal.reason), { once: true })
    if (signal.aborted) this.#controller?.abort(signal.reason)
  }

  /** First nobody can join any more, then the call ends. */
  #abandon(reason: unknown): void {
    this.#abandoned()
    this.#controller?.abort(reason)
  }
}
