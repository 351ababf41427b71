/** When each refresh token has come to the token endpoint, on the clock of this process. */
export class Presentations {
  readonly #byToken = new Map<string, number[]>()

  note(refreshToken: string): void {
    const known = this.#byToken.get(refreshToken)
    if (known) known.push(performance.now())
    else this.#byToken.set(refreshToken, [performance.now()])
  }

  /** Milliseconds at which that token came, since it was last forgotten. */
  of(refreshToken: string): readonly number[] {
    return this.#byToken.get(refreshToken) ?? []
  }

  forget(refreshToken: string): void {
    this.#byToken.delete(refreshToken)
  }
}
