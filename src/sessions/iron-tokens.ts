/** What is used of a session of iron-session. */
export interface IronSession {
  save(): Promise<void>
}

/** The key of the session under which its tokens are, sealed once more. */
const name = 'behalf:tokens'

type Tokens = Record<string, unknown>

/** Token records in the session of iron-session, a cookie that the app has configured. */
export class IronTokens {
  readonly #open: () => Promise<IronSession>
  #session: Promise<IronSession & { [name]?: Tokens }> | undefined

  constructor(open: () => Promise<IronSession>) {
    this.#open = open
  }

  async get(key: string): Promise<string | undefined> {
    const text = tokensIn(await this.#opened())[key]
    return typeof text === 'string' ? text : undefined
  }

  save(key: string, value: string): Promise<void> {
    return this.#change((tokens) => ({ ...tokens, [key]: value }))
  }

  delete(key: string): Promise<void> {
    return this.#change(({ [key]: _deleted, ...others }) => others)
  }

  #opened(): Promise<IronSession & { [name]?: Tokens }> {
    return (this.#session ??= this.#open())
  }

  async #change(change: (tokens: Tokens) => Tokens): Promise<void> {
    const session = await this.#opened()
    session[name] = change(tokensIn(session))
    await session.save()
  }
}

function tokensIn(session: { [name]?: Tokens }): Tokens {
  const tokens: unknown = session[name]
  return typeof tokens === 'object' && tokens !== null ? { ...tokens } : {}
}
