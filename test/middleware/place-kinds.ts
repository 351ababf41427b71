import type { Express } from 'express'
import session, { MemoryStore, type SessionData, Store as SessionStore } from 'express-session'
import { getIronSession } from 'iron-session'
import { inSession, ironSession, sealedCookie } from '../../src/sessions/index.ts'
import type { TokensInRequest } from '../../src/sessions/token-place.ts'
import { secret } from './express-app.ts'

/** A place for tokens that comes with requests, and the app around it. */
export interface PlaceKind {
  name: string
  tokenStore: TokensInRequest
  /** Sessions that several apps can share; `undefined` where there are none. */
  sessions?: () => SessionStore
  /** Counts in the app's own session; `pause` lies between reading and writing it. */
  count(req: object, res: object, pause: () => Promise<unknown>): Promise<number>
}

export const ironOptions = { password: secret, cookieName: 'app', cookieOptions: { secure: false } }

const countInIron: PlaceKind['count'] = async (req, res, pause) => {
  const own = await getIronSession<{ count?: number }>(req as never, res as never, ironOptions)
  own.count = (own.count ?? 0) + 1
  await pause()
  await own.save()
  return own.count
}

const countInSession: PlaceKind['count'] = async (req, _res, pause) => {
  const { session: own } = req as { session: { count?: number } }
  own.count = (own.count ?? 0) + 1
  await pause()
  return own.count
}

/** Keeps text, and lets whatever it is asked take a moment, as connect-redis does. */
class RemoteSessions extends SessionStore {
  readonly rows = new Map<string, string>()

  override get(id: string, done: (error: unknown, row?: SessionData | null) => void): void {
    setTimeout(() => {
      const row = this.rows.get(id)
      done(undefined, row === undefined ? null : (JSON.parse(row) as SessionData))
    }, 2)
  }

  override set(id: string, row: SessionData, done?: (error?: unknown) => void): void {
    const text = JSON.stringify(row)
    setTimeout(() => {
      this.rows.set(id, text)
      done?.()
    }, 2)
  }

  override destroy(id: string, done?: (error?: unknown) => void): void {
    setTimeout(() => {
      this.rows.delete(id)
      done?.()
    }, 2)
  }

  /** A new lifetime, and nothing else. */
  override touch(_id: string, _row: SessionData, done?: () => void): void {
    done?.()
  }
}

export const inMemorySession: PlaceKind = {
  name: 'inSession() with express-session’s memory',
  tokenStore: inSession(),
  sessions: () => new MemoryStore(),
  count: countInSession,
}

const inRemoteSession: PlaceKind = {
  ...inMemorySession,
  name: 'inSession() with a store like connect-redis',
  sessions: () => new RemoteSessions(),
}

export const inCookie: PlaceKind = {
  name: 'sealedCookie()',
  tokenStore: sealedCookie(),
  count: countInIron,
}

export const inIronSession: PlaceKind = {
  name: 'ironSession()',
  tokenStore: ironSession(getIronSession, ironOptions),
  count: countInIron,
}

/** iron-session 9, on a Node that it is for. */
export async function inIronSession9(): Promise<PlaceKind | undefined> {
  const [major = 0] = process.versions.node.split('.').map(Number)
  if (major < 22) return undefined
  const { getIronSession: getIronSession9 } = await import('iron-session9')
  const tokenStore = ironSession(getIronSession9, ironOptions)
  return { ...inIronSession, name: 'ironSession() with iron-session 9', tokenStore }
}

export const placeKinds: readonly PlaceKind[] = [
  inMemorySession,
  inRemoteSession,
  inCookie,
  inIronSession,
]

/** Middleware of the app's own sessions. */
export function useSessions(app: Express, store: SessionStore | undefined): void {
  if (store) app.use(session({ store, secret, resave: false, saveUninitialized: false }))
}
