import { StoreUnavailableError } from '../errors.ts'

/** The calls of a store that have begun: who closes it waits for them, and refuses later ones. */
export class CallsUnderWay {
  #count = 0
  #atRest: (() => void) | undefined
  #closing: Promise<void> | undefined

  /** To be followed by one {@link CallsUnderWay.end}. Throws when the store is being closed. */
  begin(): void {
    if (this.#closing) throw new StoreUnavailableError('it has been closed')
    this.#count += 1
  }

  end(): void {
    this.#count -= 1
    if (this.#count === 0) this.#atRest?.()
  }

  /** Runs `letGo`, once, when no call is under way any more. */
  close(letGo: () => Promise<unknown> | undefined): Promise<void> {
    this.#closing ??= this.#close(letGo)
    return this.#closing
  }

  async #close(letGo: () => Promise<unknown> | undefined): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => (this.#atRest = resolve))
    await letGo()
  }
}
