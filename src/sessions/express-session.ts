import { formatHandle, parseHandle, type Session, type SessionHandle } from './session.ts'
import { type RequestWithSessionStore, SessionTokens } from './session-tokens.ts'

/** What is used of an express-session session. */
export interface ExpressSessionData {
  regenerate(done: (error?: unknown) => void): unknown
  save(done: (error?: unknown) => void): unknown
  destroy(done: (error?: unknown) => void): unknown
  [key: string]: unknown
}

/** A request after express-session has run. */
export interface RequestWithSession {
  session: ExpressSessionData
}

/** Is it a session that can be given a new id? (cookie-session's, for one, cannot.) */
export function isExpressSession(session: unknown): session is ExpressSessionData {
  const methods = session as Partial<ExpressSessionData> | null | undefined
  return typeof methods?.regenerate === 'function' && typeof methods.save === 'function'
}

/** The visitor's handle under one key of express-session's session. */
export class ExpressSession implements Session {
  readonly #request: RequestWithSession
  #tokens: SessionTokens | undefined

  constructor(request: RequestWithSession) {
    this.#request = request
  }

  /** Another key of it, for who wants tokens there. */
  get tokens(): SessionTokens {
    return (this.#tokens ??= new SessionTokens(this.#request as unknown as RequestWithSessionStore))
  }

  read(): SessionHandle | undefined {
    return parseHandle(this.#request.session['behalf'])
  }

  /** All other keys are carried over. Saved before the reply, which may be a redirect. */
  async renew(handle: SessionHandle): Promise<void> {
    const { cookie: _cookie, ...kept } = this.#request.session
    await done((callback) => this.#request.session.regenerate(callback))
    const tokens = this.#tokens?.carriedOver
    Object.assign(this.#request.session, kept, { behalf: formatHandle(handle) }, tokens)
    await done((callback) => this.#request.session.save(callback))
  }

  async end(): Promise<void> {
    await done((callback) => this.#request.session.destroy(callback))
  }
}

function done(start: (callback: (error?: unknown) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()))
  })
}
