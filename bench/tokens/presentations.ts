import type { TestProvider } from '../../src/testing/index.ts'

/** What it means here and in the README. */
export const definitionOfOnce =
  '"Once" means: each refresh token is presented to the token endpoint once, over all processes.'

/** Counts which refresh tokens reach the token endpoint, and how often each. */
export class Presentations {
  readonly #times = new Map<string, number>()

  constructor({ switches }: TestProvider) {
    switches.tokenEndpoint = ({ parameters }) => {
      const token = parameters['refresh_token']
      if (token !== undefined) this.#times.set(token, (this.#times.get(token) ?? 0) + 1)
      return undefined
    }
  }

  /** Token requests with a refresh token. */
  get requests(): number {
    return [...this.#times.values()].reduce((sum, times) => sum + times, 0)
  }

  /** How often the one was presented that was presented most. */
  get most(): number {
    return Math.max(0, ...this.#times.values())
  }

  /** Refresh tokens that were presented more than once. */
  get repeated(): number {
    return [...this.#times.values()].filter((times) => times > 1).length
  }
}
