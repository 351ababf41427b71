import { BehalfError } from '../errors.ts'
import type { EventListener } from '../events.ts'
import { type Behalf, createBehalf } from '../middleware/behalf.ts'
import type { ProviderDefinition } from '../oauth/provider.ts'
import { createStore } from '../stores/create-store.ts'
import { UsageError } from './usage-error.ts'

/** What the commands that use the store have in common. */
export const storeNames = ['store', 'user', 'namespace'] as const

/** Their values. */
export type StoreArguments = Partial<Record<(typeof storeNames)[number], string>>

/** Where one is logged in that has no app around it. */
export const usualRedirectUri = 'http://127.0.0.1:8888/callback'

/** Whose grants they are when nobody says so. */
export const usualUser = 'local'

/** An app for one user at a terminal. */
export interface TerminalApp {
  name: string
  provider: ProviderDefinition
  baseUrl: string
  onEvent?: EventListener
}

/**
 * Works with an app of one user whose grants are in the store that the arguments name. What they can
 * put right is told without a stack.
 */
export async function withTerminalApp<T>(
  { name, provider, baseUrl, onEvent }: TerminalApp,
  { store: url = process.env['BEHALF_STORE'], user = usualUser, namespace }: StoreArguments,
  work: (app: Behalf, user: string) => Promise<T>,
): Promise<T> {
  if (!url) throw new UsageError('give --store URL, or set BEHALF_STORE.')
  try {
    const store = createStore(url)
    if (store.reach === 'process') throw new UsageError('--store must outlive this command.')
    const app = createBehalf({
      baseUrl,
      store,
      namespace,
      providers: { [name]: provider },
      user: () => user,
      onEvent,
      // The command line's own errors are told by the command.
    })
    try {
      return await work(app, user)
    } finally {
      await app.close()
      await store.close()
    }
  } catch (error) {
    if (error instanceof BehalfError) throw new UsageError(error.message, 1)
    throw error
  }
}
