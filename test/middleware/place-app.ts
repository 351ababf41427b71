import { setTimeout as sleep } from 'node:timers/promises'
import type { Store as SessionStore } from 'express-session'
import { vi } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { type AppSettings, type Browser, createApp, type World } from './express-app.ts'
import { cookiesOf } from './flow.ts'
import { type PlaceKind, useSessions } from './place-kinds.ts'

/** A store that other processes share, as far as anybody can see. */
export function sharedStore(): Store {
  return Object.assign(memoryStore(), { reach: 'cluster' as const })
}

/** What is kept beside a place for copies on their way is let go after a quarter of an hour. */
export function quarterLater(): void {
  const now = Date.now() + 901_000
  vi.spyOn(Date, 'now').mockImplementation(() => now)
}

export interface PlaceAppSettings extends AppSettings {
  /** Those of another process. */
  sessions?: SessionStore
}

/** An app whose visitors bring their tokens along. */
export function placeApp(world: World, kind: PlaceKind, settings: PlaceAppSettings = {}) {
  const sessions = settings.sessions ?? kind.sessions?.()
  const store = (settings.options?.store as Store | undefined) ?? sharedStore()
  const made = createApp(world, {
    cache: false,
    ...settings,
    before: (app) => useSessions(app, sessions),
    routes: (app) => {
      app.get('/refresh', async (req, res) => {
        res.send(await req.tokens['spotify']!.getAccessToken({ forceRefresh: true }))
      })
      app.get('/count', async (req, res) => {
        const pause = Number(req.query['pause'] ?? 0)
        res.json(await kind.count(req, res, () => sleep(pause)))
      })
      settings.routes?.(app)
    },
    options: { store, tokenStore: kind.tokenStore, ...settings.options },
  })
  return { ...made, store, sessions }
}

export type PlaceApp = ReturnType<typeof placeApp>

/** All that a visitor brings along now, so that it can be brought along once more. */
export async function copyOf({ sessions }: PlaceApp, browser: Browser) {
  // Not that a login has just ended, which is to be seen in no other browser.
  const cookies = cookiesOf(browser).filter((cookie) => !cookie.startsWith('behalf.last='))
  const rows = await allRows(sessions)
  return {
    /** Another browser, or the same one after a reply of long ago, has it again. */
    bringBack: async (other: Browser) => {
      for (const cookie of cookies) other.jar.setCookie(`${cookie}; Path=/`, '127.0.0.1')
      for (const [id, row] of rows) await new Promise((done) => sessions!.set(id, row, done))
    },
  }
}

type Rows = Array<[id: string, row: Parameters<SessionStore['set']>[1]]>

export async function allRows(sessions: SessionStore | undefined): Promise<Rows> {
  const texts = Object.entries(
    (sessions as { sessions?: Record<string, string> } | undefined)?.sessions ??
      Object.fromEntries((sessions as { rows?: Map<string, string> } | undefined)?.rows ?? []),
  )
  return texts.map(([id, text]) => [id, JSON.parse(text) as Rows[number][1]])
}

/** What lies in the place, as text. */
export async function placed(app: PlaceApp, browser: Browser): Promise<string> {
  return JSON.stringify([await allRows(app.sessions), cookiesOf(browser)])
}
