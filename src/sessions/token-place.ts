import type { CookieJar } from './cookie-jar.ts'

/** A place for token records that comes with a request. What it keeps is sealed text. */
export interface TokenPlace {
  get(key: string): string | undefined | Promise<string | undefined>
  /**
   * `ttl`: seconds that the value is good for. Throws a `NotPersistableError` for what the place
   * cannot hold; where it is not open, nothing happens.
   */
  save(key: string, value: string, options: { ttl: number | undefined }): void | Promise<void>
  delete(key: string): void | Promise<void>
  /** Does what is written now reach the place? */
  isOpen(): boolean
  /** At a login: the keys that it leaves the visitor with; what else is there goes. */
  retain(keys: readonly string[]): void
  /** The login has failed: nothing that was to be written is. */
  reset(): void
}

/** What a request brings along. */
export interface Bearer {
  readonly jar: CookieJar
  readonly session: { readonly tokens?: TokenPlace | undefined }
}

/** A value of the option `tokenStore`: token records live in what each request brings along. */
export interface TokensInRequest {
  /** What errors call it. */
  readonly name: string
  /** It needs the session that the visitor's handle is in, and not only cookies. */
  readonly needsSession: boolean
  /** The place in one request; `undefined` where it has none. */
  open(bearer: Bearer): TokenPlace | undefined
}
