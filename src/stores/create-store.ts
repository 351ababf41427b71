import { ConfigError } from '../errors.ts'
import { processState } from '../process-state.ts'
import { memoryStore } from './memory.ts'
import { sqliteStore } from './sqlite.ts'
import type { Store } from './store.ts'

/** What makes a store from the text of its URL, by the URL's scheme. */
export const backends: Readonly<Record<'memory' | 'sqlite', (url: string) => Store>> = {
  memory: (url) => processState(`memory store ${url}`, () => memoryStore()),
  sqlite: (url) => sqliteStore(sqlitePath(url)),
}

/**
 * Makes the store that `source` names; it connects at its first use.
 *
 * `memory:` and `memory:name` give the one store of that name in this process, `sqlite:path` (or
 * `sqlite::memory:`) keeps a file. A store of your own is given back as it is. Anything else throws
 * a `ConfigError`.
 */
export function createStore(source: string | URL | Store): Store {
  if (isStore(source)) return source
  const url = source instanceof URL ? decoded(source) : source
  const scheme = /^([a-z]+):/.exec(url)?.[1] ?? ''
  if (!Object.hasOwn(backends, scheme)) throw unknownSource(scheme)
  return backends[scheme as keyof typeof backends](url)
}

const operations = ['get', 'set', 'delete', 'compareAndSwap', 'compareAndDelete', 'close'] as const

function isStore(source: unknown): source is Store {
  if (typeof source !== 'object' || source === null) return false
  return operations.every((name) => typeof (source as Partial<Store>)[name] === 'function')
}

/** A parsed URL has its path percent-encoded; in text a path stands as it is. */
function decoded(url: URL): string {
  try {
    return decodeURI(url.href)
  } catch {
    throw unknownSource('')
  }
}

/** Takes `sqlite:path` and `sqlite:///path`; nothing else that a URL can hold means anything here. */
function sqlitePath(url: string): string {
  const path = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
  if (path === '' || path.startsWith('//') || /[?#]/.test(path)) {
    throw new ConfigError(
      'sqlite: must be followed by the path of a file and nothing else, as in sqlite:behalf.sqlite. ' +
        'Options go to sqliteStore(path, options) from behalf/stores/sqlite.',
    )
  }
  return path
}

/** Of what was given only the scheme is repeated: the rest may hold a password. */
function unknownSource(scheme: string): ConfigError {
  return new ConfigError(
    `${scheme ? `'${scheme}:' is no store. ` : ''}The store must be memory:, memory:name, sqlite:path or sqlite::memory:, ` +
      `or an object with ${operations.join(', ')}.`,
  )
}
