/** Which part of a list is asked for. */
export interface PageQuery {
  readonly limit: number
  readonly offset: number
}

/** A part of a list, as the Web API pages it. */
export interface Page<T> {
  readonly href: string
  readonly items: readonly T[]
  readonly limit: number
  readonly next: string | null
  readonly offset: number
  readonly previous: string | null
  readonly total: number
}

/** A part of a list that is paged by instants instead of an offset. */
export interface CursorPage<T> {
  readonly href: string
  readonly items: readonly T[]
  readonly limit: number
  readonly next: string | null
  /** Instants, epoch ms, as text: ask for what is before the one or after the other. */
  readonly cursors: { readonly before: string; readonly after: string } | null
}

/** Cuts the page that is asked for out of the list at `url`; only what is on it is shown. */
export function pageOf<T, Shown>(
  all: readonly T[],
  url: URL,
  { limit, offset }: PageQuery,
  show: (value: T) => Shown,
): Page<Shown> {
  const at = (start: number) => withQuery(url, { offset: String(start), limit: String(limit) })
  return {
    href: at(offset),
    items: all.slice(offset, offset + limit).map(show),
    limit,
    next: offset + limit < all.length ? at(offset + limit) : null,
    offset,
    previous: offset > 0 ? at(Math.max(0, offset - limit)) : null,
    total: all.length,
  }
}

/** The same address with these parameters instead of its own of the same names. */
export function withQuery(url: URL, parameters: Readonly<Record<string, string>>): string {
  const changed = new URL(url)
  for (const [name, value] of Object.entries(parameters)) changed.searchParams.set(name, value)
  return changed.href
}
