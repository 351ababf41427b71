import { inTurn } from './session-turns.ts'
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
 * back, while what the app does to it in this process waits. `req.session` stays as it is, so that
 * express-session does not write a copy from the request's beginning over what others have written
 * meanwhile. Where an overlapping request of the app does that, what stands beside a record heals it.
 */
export class SessionTokens implements TokenPlace {
  readonly #request: RequestWithSessionStore
  /** What this request has written, which the session it came with does not show. */
  readonly #written = new Map<string, string | undefined>()
  #retained: ReadonlySet<string> | undefined

  constructor(request: RequestWithSessionStore) {
    this.#request = request
    const { session, sessionID } = request
    if (session) for (const change of changes) letItWait(session, change, sessionID)
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
    return inTurn(this.#request.sessionID, () => this.#merge())
  }

  async #merge(): Promise<void> {
    const { sessionID, sessionStore } = this.#request
    const row = await answer<Row | null | undefined>((done) => sessionStore.get(sessionID, done))
    const { session } = this.#request
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

/** What the app may do to a session's row. */
const changes = ['save', 'destroy', 'regenerate'] as const

/** The app's own changes of this session take their turn. */
function letItWait(session: Row, change: (typeof changes)[number], id: string): void {
  const start = session[change] as (done: (error?: unknown) => void) => unknown
  const value = (done: (error?: unknown) => void = () => {}) => {
    const changing = () =>
      new Promise<void>((resolve) => {
        const changed = (error?: unknown) => {
          resolve()
          done(error)
        }
        try {
          Reflect.apply(start, session, [changed])
        } catch (error) {
          changed(error)
        }
      })
    void inTurn(id, changing)
    return session
  }
  // As express-session defines its own: neither stored nor a change.
  Object.defineProperty(session, change, { value, configurable: true, writable: true })
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
