const failuresToOpen = 5
const firstPauseMs = 1_000
const longestPauseMs = 30_000

/**
 * Stops calls to what keeps failing (ST-09): after five failures in a row none is admitted for 1 s;
 * then one probe is, and each probe that fails doubles the pause, up to 30 s.
 */
export class Breaker {
  #failures = 0
  #pauseMs = 0
  #probeAt = 0
  #probing = false
  /** Calls admitted before the last opening or closing no longer have a say. */
  #era = 0

  /** Gives the function that tells how the call ended, or `undefined` when it must not be made. */
  admit(): ((outcome: 'success' | 'failure') => void) | undefined {
    const isProbe = this.#pauseMs > 0
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
    if (this.#pauseMs === 0) return
    this.#pauseMs = 0
    this.#probing = false
    this.#era += 1
  }

  #fail(isProbe: boolean): void {
    this.#failures += 1
    if (!isProbe && this.#failures < failuresToOpen) return
    this.#pauseMs = isProbe ? Math.min(this.#pauseMs * 2, longestPauseMs) : firstPauseMs
    this.#probeAt = performance.now() + this.#pauseMs
    this.#probing = false
    this.#era += 1
  }
}
