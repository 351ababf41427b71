import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailableError } from '../../errors.ts'
import type { Send } from './connection.ts'
import type { Item } from './item.ts'

/** DynamoDB's own limits. */
const keysPerRead = 100
const writesPerCall = 25

const maxStalled = 8
const firstPauseMs = 25

/** A put or a deletion, as BatchWriteItem takes it. */
export type WriteRequest = { PutRequest: { Item: Item } } | { DeleteRequest: { Key: Item } }

/** Reads what is under many primary keys, in no order. */
export async function readBatches(
  send: Send,
  table: string,
  keys: readonly Item[],
): Promise<Item[]> {
  const found: Item[] = []
  for (const some of cut(keys, keysPerRead)) {
    await untilProcessed(some, async (left) => {
      const request = { Keys: left, ConsistentRead: true }
      const reply = await send<{
        Responses?: Record<string, Item[]>
        UnprocessedKeys?: Record<string, { Keys?: Item[] }>
      }>('BatchGetItem', { RequestItems: { [table]: request } })
      found.push(...(reply.Responses?.[table] ?? []))
      return reply.UnprocessedKeys?.[table]?.Keys ?? []
    })
  }
  return found
}

/** Writes and deletes many items, each of them once. */
export async function writeBatches(
  send: Send,
  table: string,
  requests: readonly WriteRequest[],
): Promise<void> {
  for (const some of cut(requests, writesPerCall)) {
    await untilProcessed(some, async (left) => {
      const reply = await send<{ UnprocessedItems?: Record<string, WriteRequest[]> }>(
        'BatchWriteItem',
        { RequestItems: { [table]: left } },
      )
      return reply.UnprocessedItems?.[table] ?? []
    })
  }
}

/**
 * DynamoDB gives back what did not fit into one reply, and what it had no capacity for: then asking
 * again at once would get it nowhere.
 */
async function untilProcessed<T>(
  items: readonly T[],
  attempt: (items: readonly T[]) => Promise<readonly T[]>,
): Promise<void> {
  let left = items
  for (let stalled = 0; stalled < maxStalled;) {
    const next = await attempt(left)
    if (next.length === 0) return
    stalled = next.length < left.length ? 0 : stalled + 1
    left = next
    if (stalled > 0) await sleep(Math.random() * firstPauseMs * 2 ** stalled)
  }
  throw new StoreUnavailableError('DynamoDB has no capacity left for the store')
}

function* cut<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
