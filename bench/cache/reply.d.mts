/** JSON of so many bytes, as a list of an API is; `of` makes it another one. */
export function json(bytes: number, of?: string): string
/** What the API answers at a path. */
export function reply(path: string): {
  headers: { etag: string } & Record<string, string>
  body: string
}
