import { ConfigError } from '../../errors.ts'
import { checkSeconds } from '../limits.ts'
import { locate, urlPath } from '../location.ts'
import type { Location } from '../location.ts'
import { queryOptions } from '../store-url.ts'

/** Where `fileStore` keeps its files, and how. */
export interface FileStoreOptions {
  /**
   * The folder, made when it is not there. With a `location` a name within that, by default
   * `behalf`.
   */
  path?: string | undefined
  /**
   * The user's folder for caches, or the system's for temporary files; both may be emptied by the
   * system or the user. Defaults to neither.
   */
  location?: Location | undefined
  /**
   * `false` does not wait for the disk, which takes most of the time of a write: a power cut may
   * then take entries, never make a false one. Defaults to `true`.
   */
  fsync?: boolean | undefined
  /** Seconds to wait while another process writes the same key. Defaults to 5. */
  lockTimeout?: number | undefined
}

/** What {@link fileSettings} gives. */
export interface FileSettings {
  root: string
  fsync: boolean
  lockTimeoutMs: number
  durable: boolean
}

/**
 * Reads the options of the URL of a file store: `file:folder` or `file:///folder`, with
 * `?location=cache&fsync=false&lockTimeout=5` as far as wanted. Throws a `ConfigError` for another
 * URL. (A `URL` of the scheme `file` has an absolute path, always; as text it may be relative.)
 */
export function fileOptions(url: string | URL): FileStoreOptions {
  const { path, query } = urlPath(url)
  const kinds = { location: 'text', fsync: 'boolean', lockTimeout: 'number' } as const
  return { path, ...queryOptions(query, kinds) } as FileStoreOptions
}

/** Checks everything that `fileStore` was given. Throws a `ConfigError`. */
export function fileSettings(
  source: string | URL | FileStoreOptions,
  options: FileStoreOptions,
): FileSettings {
  const given = { ...fromSource(source), ...options }
  const { location, path = location && 'behalf', fsync = true, lockTimeout = 5 } = given
  if (path === undefined) throw noFolder()
  if (typeof fsync !== 'boolean') throw new ConfigError('fileStore: fsync must be true or false.')
  return {
    root: locate('fileStore', path, location),
    fsync,
    lockTimeoutMs: checkSeconds('fileStore: lockTimeout', lockTimeout) * 1000,
    durable: fsync && location === undefined,
  }
}

function fromSource(source: unknown): FileStoreOptions {
  if (source instanceof URL) return fileOptions(source)
  if (typeof source === 'string') {
    return source.startsWith('file:') ? fileOptions(source) : { path: source }
  }
  if (typeof source === 'object' && source !== null) return source
  throw noFolder()
}

function noFolder(): ConfigError {
  return new ConfigError('fileStore needs the path of a folder, or a location.')
}
