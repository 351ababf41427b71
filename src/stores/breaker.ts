const failuresToOpen = 5
const pauseMs = 1_000

/**
 * Stops calls to what keeps failing (ST-09): after five failures in a row one probe is admitted each
 * second and nothing else, until a probe succeeds. The pause does not grow: one call a second is no
 * load, and what is back should be used at once.
 */
export class Breaker {
  #failures = 0
  #open = false
  #probeAt = 0
  #probing = false
  /** Calls admitted before the last opening or closing no longer have a say. */
  #era = 0

  /** Gives the function that tells how the call ended, or `undefined` when it must not be made. */
  admit(): ((outcome: 'success' | 'failure') => void) | undefined {
    const isProbe = this.#open
    if (isProbe) {
      if (this.#probing || performance.now() < this.#probeAt) return undefined
      this.#probing = true
    }
    const era = this.#era
    return (outcome) => {
      if (era !== this.#era) return
      if (outcome === 'success') this.#close()
      else this.#fail(isProbe)
    }
  }

  #close(): void {
    this.#failures = 0
    if (!this.#open) return
    this.#open = false
    this.#probing = false
    this.#era += 1
  }

  #fail(isProbe: boolean): void {
    this.#failures += 1
    if (!isProbe && this.#failures < failuresToOpen) return
    this.#open = true
    this.#probeAt = performance.now() + pauseMs
    this.#probing = false
    this.#era += 1
  }
}
