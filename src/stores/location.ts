import { chmod, lstat, mkdir, realpath, stat } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { decoded, parseStoreUrl } from './store-url.ts'

/**
 * A folder that the system has for a purpose. `cache` is the user's: `XDG_CACHE_HOME` or `~/.cache`,
 * `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows. `temp` is `os.tmpdir()`, which is
 * emptied now and then.
 */
export type Location = 'cache' | 'temp'

const mode = 0o700
const writableByOthers = 0o022
const writableByAll = 0o002
const sticky = 0o1000

/**
 * The absolute path of `path`, in `location` if there is one. Throws a `ConfigError` for what cannot
 * be a path, and for one that leads out of its location.
 */
export function locate(store: string, path: string, location: Location | undefined): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new ConfigError(`${store} needs a path.`)
  }
  if (location === undefined) return resolve(path)
  if (location !== 'cache' && location !== 'temp') {
    throw new ConfigError(`${store}: location must be 'cache' or 'temp'.`)
  }
  if (isAbsolute(path) || !isName(path)) {
    throw new ConfigError(
      `${store}: path must be a relative name within the location, without '..'.`,
    )
  }
  return join(location === 'temp' ? tmpdir() : cacheFolder(), path)
}

/** Of steps downwards, at least one. */
function isName(path: string): boolean {
  const steps = path.split(/[/\\]/)
  return steps[0] !== '' && !steps.includes('..') && normalize(path) !== '.'
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME: xdg = '', LOCALAPPDATA: local = '' } = process.env
  if (process.platform === 'win32') return local || join(homedir(), 'AppData', 'Local')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches')
  // A relative path there is to be ignored (XDG Base Directory Specification 0.8).
  return isAbsolute(xdg) ? xdg : join(homedir(), '.cache')
}

/**
 * Takes `scheme:path` and `scheme:///path` apart. In text a path stands as it is; that of a `URL` is
 * percent-encoded. Throws a `ConfigError` where there is a host or no path.
 */
export function urlPath(url: string | URL): { path: string; query: URLSearchParams } {
  const { scheme, username, hosts, path, query } = parseStoreUrl(url)
  if (path === '' || username !== undefined || hosts.length > 0) {
    throw new ConfigError(
      `${scheme}: must be followed by a path, as in ${scheme}:name or ${scheme}:///folder/name.`,
    )
  }
  return { path: url instanceof URL ? decoded(path) : path, query }
}

/**
 * Makes a folder, and those that it lies in, for their owner only, whatever the umask is. Throws a
 * `ConfigError` where another user could put files into it: in a shared folder such as /tmp, it and
 * all down to it must be this user's own.
 */
export async function makePrivateFolder(store: string, folder: string): Promise<void> {
  await make(folder)
  if (!process.getuid) return
  await checkLinks(store, folder, process.getuid())
  await checkOwners(store, await realpath(folder), process.getuid())
}

/** A link in a folder that all can write into leads wherever who made it wants. */
async function checkLinks(store: string, folder: string, user: number): Promise<void> {
  for (const path of fromRoot(folder)) {
    const found = await lstat(path)
    if (!found.isSymbolicLink() || found.uid === user || found.uid === 0) continue
    if (((await stat(dirname(path))).mode & writableByAll) === 0) continue
    throw new ConfigError(
      `${store}: ${path} is a link that another user made. Name the folder itself.`,
    )
  }
}

async function make(folder: string): Promise<void> {
  try {
    await mkdir(folder, mode)
    await chmod(folder, mode)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || folder === dirname(folder)) throw error
    await make(dirname(folder))
    await make(folder)
  }
}

async function checkOwners(store: string, folder: string, user: number): Promise<void> {
  let inShared = false
  for (const path of fromRoot(folder)) {
    const { uid, mode: bits } = await stat(path)
    // In a sticky folder nobody renames or deletes what is another's (inode(7)).
    const open = (bits & writableByOthers) !== 0 && (path === folder || (bits & sticky) === 0)
    if (inShared && (uid !== user || open)) {
      throw new ConfigError(
        `${store}: the folder ${path} lies in one that every user can write into, and is not this ` +
          "user's alone. Name another, or make it this user's own and run chmod go-w on it.",
      )
    }
    if (path === folder && (bits & writableByAll) !== 0) {
      throw new ConfigError(
        `${store}: every user can write into the folder ${path}. Name one of its own within it, or run chmod o-w on it.`,
      )
    }
    inShared ||= (bits & writableByAll) !== 0
  }
}

/** The folder itself last. */
function fromRoot(folder: string): string[] {
  const above = dirname(folder)
  return above === folder ? [folder] : [...fromRoot(above), folder]
}
