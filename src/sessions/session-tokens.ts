import type { TokenPlace } from './token-place.ts'

/** The key of the session under which its tokens are, sealed. */
const name = 'behalfTokens'

type Row = Record<string, unknown>
type Tokens = Record<string, string>

/** What is used of a store of express-session. */
interface SessionStore {
  get(id: string, done: (error: unknown, row?: Row | null) => void): unknown
  set(id: string, row: Row, done: (error?: unknown) => void): unknown
}

/** A request after express-session has run. */
export interface RequestWithSessionStore {
  /** `undefined` once it has been destroyed. */
  session: Row | undefined
  sessionID: string
  sessionStore: SessionStore
}

/**
 * Token records under one key of express-session's session.
 *
 * They are written through its store: the session is read anew, this key put into it and written
 * back at once. `req.session` stays as it is, so that express-session does not write a copy from the
 * request's beginning over what others have written meanwhile. Where an overlapping request of the
 * app does that, what stands beside a record heals it.
 */
export class SessionTokens implements TokenPlace {
  readonly #request: RequestWithSessionStore
  /** What this request has written, which the session it came with does not show. */
  readonly #written = new Map<string, string | undefined>()
  #retained: ReadonlySet<string> | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(request: RequestWithSessionStore) {
    this.#request = request
  }

  get(key: string): string | undefined {
    return this.#written.has(key) ? this.#written.get(key) : tokensIn(this.#request.session)[key]
  }

  save(key: string, value: string): Promise<void> {
    return this.#write(key, value)
  }

  delete(key: string): Promise<void> {
    return this.#write(key, undefined)
  }

  /** A session is written on the server, whatever has become of the reply. */
  isOpen(): boolean {
    return true
  }

  retain(keys: readonly string[]): void {
    this.#retained = new Set(keys)
  }

  reset(): void {
    this.#retained = undefined
  }

  /** What goes into the session that takes this one's place. */
  get carriedOver(): { [name]: Tokens } {
    const tokens = Object.entries(this.#merged(tokensIn(this.#request.session)))
    const retained = tokens.filter(([key]) => this.#retained?.has(key) ?? true)
    return { [name]: Object.fromEntries(retained) }
  }

  #write(key: string, value: string | undefined): Promise<void> {
    if (this.#written.get(key) === value && this.#written.has(key)) return Promise.resolve()
    this.#written.set(key, value)
    const writing = this.#turn.then(() => this.#merge())
    this.#turn = writing.catch(() => {})
    return writing
  }

  async #merge(): Promise<void> {
    const { session, sessionID, sessionStore } = this.#request
    const row = await answer<Row | null | undefined>((done) => sessionStore.get(sessionID, done))
    // A session that is not stored yet is by whoever begins it; one that was ended stays so.
    if (!row || !session) return
    const [before, after] = [tokensIn(row), this.#merged(tokensIn(row))]
    if (JSON.stringify(before) === JSON.stringify(after)) return
    const merged = { ...row, cookie: session['cookie'], [name]: after }
    await answer<void>((done) => sessionStore.set(sessionID, merged, done))
  }

  #merged(before: Tokens): Tokens {
    const all = Object.entries({ ...before, ...Object.fromEntries(this.#written) })
    return Object.fromEntries(all.filter(([, value]) => value)) as Tokens
  }
}

function tokensIn(session: Row | undefined): Tokens {
  const tokens = session?.[name]
  if (typeof tokens !== 'object' || tokens === null) return {}
  return Object.fromEntries(Object.entries(tokens).filter(([, value]) => typeof value === 'string'))
}

function answer<T>(ask: (done: (error: unknown, value?: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, value) => (error ? reject(error) : resolve(value as T)))
  })
}
