import type { TestProvider } from '../../src/testing/index.ts'

/** What an access token was issued for. */
export interface Issued {
  /** `undefined` for the app's own. */
  userId: string | undefined
  /** Which login of that user it comes from, counted from 1. */
  login: number
  scope: readonly string[]
  resource: string | undefined
}

/**
 * Every access token that has come over the wire, and what for: the provider itself forgets those
 * that are revoked or expired.
 */
export class IssuedTokens {
  readonly #provider: TestProvider
  readonly #issued = new Map<string, Issued>()
  readonly #refreshTokens = new Map<string, Pick<Issued, 'userId' | 'login'>>()
  readonly #logins = new Map<string | undefined, number>()
  /** Where what was asked on the wire and what the provider has issued differ. */
  readonly wrong: string[] = []

  constructor(provider: TestProvider) {
    this.#provider = provider
  }

  /** What a token was issued for; `undefined` for one that nobody has issued. */
  of(accessToken: string): Issued | undefined {
    return this.#issued.get(accessToken)
  }

  /** How often the user has logged in. */
  logins(userId: string): number {
    return this.#logins.get(userId) ?? 0
  }

  /** For the option `fetch`. */
  readonly fetch: typeof fetch = async (input, init) => {
    const reply = await fetch(input, init)
    const url = input instanceof Request ? input.url : String(input)
    if (reply.ok && url === this.#provider.overrides.tokenEndpoint) {
      const sent = await new Response(init?.body).formData()
      this.#note(sent, (await reply.clone().json()) as Record<string, string>)
    }
    return reply
  }

  #note(sent: Awaited<ReturnType<Response['formData']>>, reply: Record<string, string>): void {
    const { access_token: accessToken = '', refresh_token: refreshToken, scope = '' } = reply
    const account = this.#provider.accountOf(accessToken)
    const resource = sent.get('resource') as string | null
    const issued: Issued = {
      ...(this.#refreshTokens.get(String(sent.get('refresh_token'))) ??
        this.#logIn(account?.userId)),
      scope: scope.split(' ').filter(Boolean),
      resource: resource ?? undefined,
    }
    if (account && (account.userId !== issued.userId || account.resource !== issued.resource)) {
      this.wrong.push(`the provider has issued ${JSON.stringify([account, issued])}`)
    }
    this.#issued.set(accessToken, issued)
    if (refreshToken !== undefined) this.#refreshTokens.set(refreshToken, issued)
  }

  /** Nobody else knows a token that came for a code: it is still good. */
  #logIn(userId: string | undefined): Pick<Issued, 'userId' | 'login'> {
    const login = (this.#logins.get(userId) ?? 0) + 1
    this.#logins.set(userId, login)
    return { userId, login }
  }
}
