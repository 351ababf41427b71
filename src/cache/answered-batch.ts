import type { Answer } from './answer.ts'
import type { Exchange } from './cached-call.ts'
import { withoutFragment } from './http/invalidation.ts'
import type { Partition } from './stored/partition.ts'
import { Repositories } from './repositories/repositories.ts'
import { requestOf } from './rules/repository-places.ts'
import { ResponseShelf, type ShelfParts } from './response-shelf.ts'

/** The answer to a batch, and how many of its items have been stored. */
export interface AnsweredBatch {
  readonly answer: Answer
  readonly kept: number
}

/** Answers a request for several responses of a repository; asks for what is missing only. */
export async function answerBatch(
  { asked, call }: Exchange,
  partition: Partition,
  parts: ShelfParts,
): Promise<AnsweredBatch> {
  const shelf = new ResponseShelf(parts, partition, asked.headers)
  const forward = ({ url }: Request) =>
    call.forward(url === withoutFragment(asked.url) ? {} : { url })
  const repositories = new Repositories(parts.places.rules, shelf)
  const answered = await repositories.answerBatch(requestOf(asked), forward)
  const { reply: response, stored, fetched } = answered!
  const { kept } = shelf
  const detail = `items-${stored}-stored-${fetched}-fetched`
  if (fetched === 0) return { answer: { response, status: { hit: true, detail } }, kept }
  const status = { fwd: 'uri-miss', fwdStatus: response.status, stored: kept > 0, detail } as const
  return { answer: { response, status }, kept }
}
