import type { RequestWithSession } from './express-session.ts'

/** The key of the session under which its tokens are, sealed. */
const name = 'behalf:tokens'

type SessionData = Record<string, unknown>
type Done<T = unknown> = (error?: unknown, value?: T) => void

/** What is used of express-session's store, and of the request it has passed. */
export interface RequestWithSessionStore extends RequestWithSession {
  sessionID: string
  sessionStore: {
    get(id: string, done: Done<SessionData | null>): unknown
    set(id: string, session: never, done: Done): unknown
  }
}

/**
 * Token records in express-session's session. A session is written as a whole and its last writer
 * wins, so that a value is also merged into what the session's store has now.
 */
export class SessionTokens {
  readonly #request: RequestWithSessionStore

  constructor(request: RequestWithSessionStore) {
    this.#request = request
  }

  get(key: string): string | undefined {
    const text = tokensIn(this.#request.session)[key]
    return typeof text === 'string' ? text : undefined
  }

  save(key: string, value: string): Promise<void> {
    return this.#change((tokens) => ({ ...tokens, [key]: value }))
  }

  delete(key: string): Promise<void> {
    return this.#change(({ [key]: _deleted, ...others }) => others)
  }

  /** A session that its store does not have is a new one, which is saved at the end, or has ended. */
  async #change(change: (tokens: SessionData) => SessionData): Promise<void> {
    const { session, sessionID, sessionStore } = this.#request
    session[name] = change(tokensIn(session))
    const stored = await new Promise<SessionData | null | undefined>((resolve, reject) => {
      sessionStore.get(sessionID, (error, found) => (error ? reject(error) : resolve(found)))
    })
    if (!stored) return
    const merged = { ...stored, [name]: change(tokensIn(stored)) }
    await new Promise<void>((resolve, reject) => {
      sessionStore.set(sessionID, merged as never, (error) => (error ? reject(error) : resolve()))
    })
  }
}

function tokensIn(session: SessionData): SessionData {
  const tokens = session[name]
  return typeof tokens === 'object' && tokens !== null ? { ...tokens } : {}
}
