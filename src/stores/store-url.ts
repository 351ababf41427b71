import { ConfigError } from '../errors.ts'

/** The parts of a store's URL; they may hold credentials, and are never repeated in a message. */
export interface StoreUrl {
  scheme: string
  username: string | undefined
  password: string | undefined
  /** Several where a cluster, sentinels or a pool of servers are named, with commas between. */
  hosts: ReadonlyArray<{ host: string; port: number | undefined }>
  /** What follows the hosts, or the scheme where there are none, as it was written. */
  path: string
  query: URLSearchParams
}

/**
 * Takes a store's URL apart (RFC 3986, but with several hosts, which `URL` refuses). A user's name
 * and a password are percent-decoded. Throws a `ConfigError` for what is no URL.
 */
export function parseStoreUrl(url: string | URL): StoreUrl {
  if (typeof url !== 'string' && !(url instanceof URL)) throw unreadable()
  const { scheme, authority, path, query } = split(String(url))
  const at = authority.lastIndexOf('@')
  const colon = authority.slice(0, at).indexOf(':')
  const [username, password] =
    at < 0
      ? []
      : colon < 0
        ? [authority.slice(0, at)]
        : [authority.slice(0, colon), authority.slice(colon + 1, at)]
  return {
    scheme,
    username: decoded(username) || undefined,
    password: decoded(password) || undefined,
    hosts:
      authority === ''
        ? []
        : authority
            .slice(at + 1)
            .split(',')
            .map(parseHost),
    path,
    query: new URLSearchParams(query),
  }
}

function split(url: string) {
  const parts = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?$/i.exec(url)
  if (!parts) throw unreadable()
  const [, scheme = '', authority = '', path = '', query = ''] = parts
  return { scheme: scheme.toLowerCase(), authority, path, query }
}

function parseHost(text: string): { host: string; port: number | undefined } {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]@]+))(?::(\d{1,5}))?$/i.exec(text) ?? []
  const host = bracketed ?? decoded(plain)
  if (host === undefined || Number(port) > 65_535) throw unreadable()
  return { host, port: port === undefined ? undefined : Number(port) }
}

/** Percent-decodes a part of a URL. Throws a `ConfigError` where that cannot be done. */
export function decoded<T extends string | undefined>(part: T): T {
  if (part === undefined) return part
  try {
    return decodeURIComponent(part) as T
  } catch {
    throw unreadable()
  }
}

/** What the value of an option in a URL is read as. */
export type OptionKind = 'text' | 'number' | 'boolean'

type OptionValue<K extends OptionKind> = K extends 'number'
  ? number
  : K extends 'boolean'
    ? boolean
    : string

/**
 * Reads the options that a URL's query holds. Throws a `ConfigError` for an option that is not
 * among `kinds`, comes twice or cannot be read.
 */
export function queryOptions<Kinds extends Readonly<Record<string, OptionKind>>>(
  query: URLSearchParams,
  kinds: Kinds,
): { [Name in keyof Kinds]?: OptionValue<Kinds[Name]> } {
  const options: Record<string, unknown> = {}
  for (const [name, value] of query) {
    const kind = Object.hasOwn(kinds, name) && !Object.hasOwn(options, name) && kinds[name]
    if (!kind) throw wrongOption(kinds)
    options[name] = read(name, value, kind)
  }
  return options as { [Name in keyof Kinds]?: OptionValue<Kinds[Name]> }
}

function read(name: string, value: string, kind: OptionKind): unknown {
  if (kind === 'text') return value
  if (kind === 'boolean' && /^(?:true|false)$/.test(value)) return value === 'true'
  if (kind === 'number' && /^\d+(?:\.\d+)?$/.test(value)) return Number(value)
  const expected = kind === 'number' ? 'a number' : 'true or false'
  throw new ConfigError(`${name} in the URL of a store must be ${expected}.`)
}

/** The name that was given is not repeated: what is no option may be part of a password. */
function wrongOption(kinds: Readonly<Record<string, OptionKind>>): ConfigError {
  return new ConfigError(
    `The URL of this store takes the options ${Object.keys(kinds).join(', ')}, each once; it has another.`,
  )
}

function unreadable(): ConfigError {
  return new ConfigError(
    'The URL of the store cannot be read. Percent-encode what is special in a name or a password.',
  )
}
