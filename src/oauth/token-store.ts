/**
 * A place of the app's own for token records, such as its session or a table: what spotipy calls a
 * `CacheHandler`. A value is sealed text; a key has at most 120 characters of `[a-z0-9:_-]`.
 */
export interface TokenStore {
  get(key: string): MaybeLater<string | null | undefined>
  /** `ttl`: seconds that the value is good for; `undefined` for no end. */
  save(key: string, value: string, options: { ttl: number | undefined }): MaybeLater<unknown>
  delete(key: string): MaybeLater<unknown>
}

type MaybeLater<T> = T | Promise<T>
