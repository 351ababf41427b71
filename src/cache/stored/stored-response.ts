import type { Standing } from '../http/reuse.ts'
import type { Keeping } from '../http/storing.ts'
import type { Field } from '../http/stored-fields.ts'
import type { Variant } from '../http/vary.ts'
import type { Marks } from './tags.ts'

/** What a response is in its repository. */
export interface StoredItem {
  readonly repository: string
  /** `null` for a field without a value. */
  readonly key: ReadonlyArray<string | null>
  readonly name?: string | undefined
}

/** A reply as it is kept. */
export interface StoredResponse extends Standing {
  readonly status: number
  /** Name and value; a field that came several times stands several times. */
  readonly headers: readonly Field[]
  /** What Vary selected it by, as HMACs. */
  readonly variant: Variant
  /** Where it came from, which redirects may have led to. */
  readonly url?: string | undefined
  readonly tags: readonly string[]
  /** How what it hangs on stood before its request was sent. */
  readonly marks: Marks
  /** Where it is one of a repository. */
  readonly item?: StoredItem | undefined
  readonly body: Uint8Array
  /** The body, where it is text and has been decoded. */
  readonly text?: string | undefined
}

/** What is kept of a reply, beside how long and what it hangs on. */
export type KeptReply = Omit<StoredResponse, keyof Keeping | 'marks' | 'text'>

/**
 * A reply as it is kept. All are put together here, field by field: V8 is several times as slow to
 * write, and to read, what was put together by spreading.
 */
export function storedResponse(
  { status, headers, variant, url, receivedAt, tags, item, body }: KeptReply,
  { initialAge, lifetime, staleWhileRevalidate, staleIfError, revalidation }: Keeping,
  marks: Marks,
): StoredResponse {
  return {
    status,
    headers,
    variant,
    url,
    initialAge,
    lifetime,
    staleWhileRevalidate,
    staleIfError,
    revalidation,
    receivedAt,
    tags,
    marks,
    item,
    body,
    text: undefined,
  }
}

/** All but the body. */
export type Description = Omit<StoredResponse, 'body' | 'text'>

/** Is it one that we have written? */
export function isDescription(value: unknown): value is Description {
  if (typeof value !== 'object' || value === null) return false
  const { status, headers, variant, tags, marks, url, item, revalidation, ...numbers } =
    value as Record<string, unknown>
  return (
    isStatus(status) &&
    isListOf(headers, isField) &&
    isTexts(variant) &&
    isListOf(tags, isText) &&
    isListOf(marks, isField) &&
    (url === undefined || isText(url)) &&
    (item === undefined || isItem(item)) &&
    revalidations.has(revalidation) &&
    instants.every((name) => isInstant(numbers[name]))
  )
}

const revalidations = new Set<unknown>(['always', 'when-stale', 'optional'])

const instants = [
  'receivedAt',
  'initialAge',
  'lifetime',
  'staleWhileRevalidate',
  'staleIfError',
] as const

function isStatus(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 200 && value <= 599
}

function isInstant(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value)
}

function isItem(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { repository, key, name } = value as Record<string, unknown>
  return (
    isText(repository) &&
    isListOf(key, (part) => part === null || isText(part)) &&
    (name === undefined || isText(name))
  )
}

function isField(value: unknown): boolean {
  return isListOf(value, isText) && value.length === 2
}

function isTexts(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isText)
}

function isListOf(value: unknown, test: (one: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(test)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
