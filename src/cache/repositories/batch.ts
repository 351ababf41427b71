import { readBounded } from '../../bounded-body.ts'
import { rebuild } from '../rebuild.ts'
import type { BatchRequest, BatchRule } from './batch-rule.ts'
import type { RepositoryRule } from './repository-rule.ts'
import type { Shelf } from './shelf.ts'

/** A batch's reply, and how many of its different items were stored and fetched. */
export interface BatchReply {
  reply: Response
  stored: number
  fetched: number
}

/** Sends a request upstream, as the cache does on a miss. */
export type Forward = (request: Request) => Promise<Response>

/** Bytes of a reply that is taken apart. */
const longestReply = 10 * 2 ** 20

/** What is about the whole list, or its transport, and not about one item. */
const notOfAnItem = [
  'content-encoding',
  'content-length',
  'content-location',
  'content-range',
  'etag',
  'last-modified',
  'link',
  'set-cookie',
  'transfer-encoding',
]

/**
 * Answers a request for several items from those that are stored one by one: only the missing ones
 * are fetched, as many at a time as the API gives, stored, and put together in order. An item that
 * the API says is null stays null, and is asked for again the next time.
 *
 * `undefined` for a request that is no batch of this repository. A reply that is not 200 is the
 * answer to all of it; one that cannot be taken apart is fetched whole, and nothing of it is stored.
 */
export async function answerBatch(
  rule: RepositoryRule,
  shelf: Shelf,
  request: Request,
  forward: Forward,
): Promise<BatchReply | undefined> {
  const { batch } = rule
  const asked = batch?.read(request)
  if (!batch || !asked) return undefined
  const distinct = [...new Set(asked.ids)]
  const items = await storedItems(rule, shelf, asked, distinct)
  const missing = distinct.filter((id) => !items.has(id))
  let headers = new Headers({ 'content-type': 'application/json' })
  for (let at = 0; at < missing.length; at += batch.max) {
    const ids = missing.slice(at, at + batch.max)
    const fetched = await fetchItems(batch, ids, await forward(partOf(request, asked, ids)))
    if ('reply' in fetched) {
      // All of it was asked for, or nothing can be put together with what is stored.
      const isAnswer = !fetched.isForeign || ids.length === asked.ids.length
      const reply = isAnswer ? fetched.reply : await forward(request)
      return { reply, stored: 0, fetched: distinct.length }
    }
    headers = fetched.headers
    await keepItems(rule, shelf, asked, fetched)
    for (const [id, item] of fetched.items) items.set(id, item)
  }
  const reply = together(batch, asked, items, headers)
  Object.defineProperty(reply, 'url', { value: request.url })
  return { reply, stored: distinct.length - missing.length, fetched: missing.length }
}

/** As it was written, where all of it is missing. */
function partOf(request: Request, asked: BatchRequest, ids: readonly string[]): Request {
  return ids.length === asked.ids.length ? request : asked.only(ids)
}

function together(
  { items: property }: BatchRule,
  { ids }: BatchRequest,
  items: ReadonlyMap<string, unknown>,
  headers: Headers,
): Response {
  const list = ids.map((id) => items.get(id) ?? null)
  return new Response(JSON.stringify(property === undefined ? list : { [property]: list }), {
    headers,
  })
}

async function storedItems(
  rule: RepositoryRule,
  shelf: Shelf,
  asked: BatchRequest,
  ids: readonly string[],
): Promise<Map<string, unknown>> {
  const found = await shelf.find(
    rule.name,
    ids.map((id) => asked.keyOf(id)),
  )
  const items = new Map<string, unknown>()
  const now = Date.now()
  for (const [index, id] of ids.entries()) {
    const shelved = found[index]
    if (!shelved || shelved.freshUntil <= now) continue
    const item: unknown = await shelved
      .response()
      .json()
      .catch(() => undefined)
    if (item !== undefined) items.set(id, item)
  }
  return items
}

/** Items by their ids; or the reply, unread: no 200, or `isForeign`, not what the rule says. */
type Fetched =
  | { items: ReadonlyMap<string, unknown>; headers: Headers }
  | { reply: Response; isForeign: boolean }

async function fetchItems(
  { items: property, id: idProperty }: BatchRule,
  ids: readonly string[],
  response: Response,
): Promise<Fetched> {
  if (response.status !== 200) return { reply: response, isForeign: false }
  if (response.body === null) return { reply: response, isForeign: true }
  const body = await readBounded(response.body, longestReply)
  if (!body.complete) return { reply: rebuild(response, body.stream), isForeign: true }
  const list = listIn(body.bytes, property)
  const items = list && itemsById(list, ids, idProperty)
  if (!items) return { reply: rebuild(response, body.bytes), isForeign: true }
  return { items, headers: ofAnItem(response.headers) }
}

/** What stands beside the list would be lost: such a reply is not taken apart. */
function listIn(bytes: Uint8Array, property: string | undefined): unknown[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
  if (property !== undefined) {
    if (typeof value !== 'object' || value === null) return undefined
    const names = Object.keys(value)
    value = names.length === 1 ? (value as Record<string, unknown>)[property] : undefined
  }
  return Array.isArray(value) ? value : undefined
}

function itemsById(
  list: readonly unknown[],
  ids: readonly string[],
  idProperty: string | undefined,
): ReadonlyMap<string, unknown> | undefined {
  if (idProperty === undefined) {
    return list.length === ids.length
      ? new Map(ids.map((id, index) => [id, list[index]]))
      : undefined
  }
  const named = new Map(
    list.map((item) => [(item as Record<string, unknown> | null)?.[idProperty], item]),
  )
  return new Map(ids.map((id) => [id, named.get(id) ?? null]))
}

async function keepItems(
  rule: RepositoryRule,
  shelf: Shelf,
  asked: BatchRequest,
  { items, headers }: { items: ReadonlyMap<string, unknown>; headers: Headers },
): Promise<void> {
  const there = [...items].filter(([, item]) => item !== null && item !== undefined)
  await shelf.keep(
    rule.name,
    there.map(([id, item]) => {
      const body = JSON.stringify(item)
      const name = nameIn(rule, body)
      return {
        key: asked.keyOf(id),
        name,
        response: new Response(body, { headers }),
        ttl: rule.ttl,
      }
    }),
  )
}

function nameIn(rule: RepositoryRule, body: string): string | undefined {
  try {
    return rule.nameOf(rule.payload.parse(Buffer.from(body)))
  } catch {
    return undefined
  }
}

function ofAnItem(given: Headers): Headers {
  const headers = new Headers(given)
  for (const name of notOfAnItem) headers.delete(name)
  headers.set('content-type', 'application/json')
  return headers
}
