/** Under this name a token request carries its presentation to the `fetch` that sends it. */
export const presentation: unique symbol = Symbol('presentation')

/** How far a request got: nobody saw it, somebody may have, or its whole reply is here. */
export type Progress = 'unsent' | 'sent' | 'answered'

/**
 * One presentation of a refresh token. It has a time by which it must be on its way: later another
 * process may be presenting the same token (TK-10).
 */
export class Presentation {
  readonly #by: number
  readonly #byWallClock: number
  #progress: Progress = 'unsent'
  #missed = false
  #status = 0

  /** It has to be sent within `seconds` of `since`, an instant of both clocks. */
  constructor(since: Instant, seconds: number) {
    this.#by = since.monotonic + seconds * 1000
    this.#byWallClock = since.wallClock + seconds * 1000
  }

  get progress(): Progress {
    return this.#progress
  }

  /** It was about to be sent too late, and was not. */
  get missed(): boolean {
    return this.#missed
  }

  /** Is called right before the first byte leaves, and throws when none may. */
  send(): void {
    if (this.#progress !== 'unsent') return
    // One clock may be set, the other stands still while a machine is frozen: the first one counts.
    this.#missed = performance.now() > this.#by || Date.now() > this.#byWallClock
    if (this.#missed) throw new Error('The token request comes too late to be sent.')
    this.#progress = 'sent'
  }

  /** Its whole reply is here. */
  answered(status: number): void {
    this.#progress = 'answered'
    this.#status = status
  }

  /** The server wants the same request in another form, and has not looked at the token. */
  declined(): void {
    this.#progress = 'unsent'
  }

  /** Nobody knows whether the token was used: no answer, or one of a server in the middle of it. */
  get mayHaveWorked(): boolean {
    if (this.#progress !== 'answered') return this.#progress === 'sent'
    return this.#status < 300 || [500, 502, 504].includes(this.#status)
  }
}

/** A moment on both clocks. */
export interface Instant {
  monotonic: number
  wallClock: number
}

/** This moment. */
export function thisInstant(): Instant {
  return { monotonic: performance.now(), wallClock: Date.now() }
}

/** The presentation that a request carries, if it is one. */
export function presentationOf(init: RequestInit | undefined): Presentation | undefined {
  return (init as { [presentation]?: Presentation } | undefined)?.[presentation]
}

/** An app's own `fetch` does not tell when it sends; it is taken to do so at once. */
export function sendingAtOnce(send: typeof fetch): typeof fetch {
  return async (input, init) => {
    presentationOf(init)?.send()
    return send(input, init)
  }
}
