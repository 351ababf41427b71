/** memcached takes instants as signed 32-bit numbers of seconds. */
export const lastInstant: number = 2 ** 31 - 1

/**
 * What clock_gettime, its rounding and memcached's own once-a-second tick can put between the
 * second that it tells and the true time, in milliseconds.
 */
const earliest = -1000
const latest = 3000

/**
 * The clock of one server, so that no two processes compare theirs. It comes for nothing with an
 * entry that ends at {@link lastInstant}: what that has left says what time it is there.
 *
 * memcached counts whole seconds. Within what such a second leaves open this process's own clock is
 * used: where the clocks are right it is exact, and where they are not it is at most 4 s off.
 */
export class ServerClock {
  #second = 0
  #heardAt = 0

  /** Takes the seconds that such an entry has left. */
  hear(left: number): void {
    this.#second = lastInstant - left
    this.#heardAt = performance.now()
  }

  /** Epoch ms. */
  now(): number {
    const second = this.#second * 1000 + performance.now() - this.#heardAt
    return Math.min(Math.max(Date.now(), second + earliest), second + latest)
  }
}

/**
 * When the server is to drop an entry that ends at `expiresAt`, in seconds: after it has ended for
 * everybody; 0 is never.
 */
export function droppedAt(expiresAt: number): number {
  const instant = Math.ceil((expiresAt - earliest) / 1000) + 1
  return instant < lastInstant ? instant : 0
}
