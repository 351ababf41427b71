import { UnexpectedResponseError, UpstreamError } from '../errors.ts'
import { type Answer, isConditional, toResponse } from './answer.ts'
import { bodyText } from '../body-text.ts'
import type { StoredResponse } from './stored/stored-response.ts'
import type { Asked } from './stored/stored-responses.ts'

/**
 * The parsed JSON of an answer, `undefined` for an empty one; of what has been read already no
 * `Response` is made.
 * Throws an `UpstreamError` for a status that is not 2xx, and an `UnexpectedResponseError` for what is
 * no JSON.
 */
export async function jsonOf(answer: Answer, asked: Asked): Promise<unknown> {
  if ('stored' in answer && isWholeReply(answer.stored, asked)) {
    return parsed(bodyText(answer.stored), asked)
  }
  if ('bytes' in answer && answer.bytes && answer.response.ok) {
    return parsed(bodyText({ body: answer.bytes }), asked)
  }
  const response = toResponse(answer, asked)
  const text = await response.text()
  if (response.ok) return parsed(text, asked)
  throw new UpstreamError(hostOf(asked), whatOf(asked), response, json(text) ?? text)
}

function isWholeReply({ status }: StoredResponse, { method, headers }: Asked): boolean {
  return status >= 200 && status < 300 && method === 'GET' && !isConditional(headers)
}

function parsed(text: string, asked: Asked): unknown {
  if (text === '') return undefined
  const value = json(text)
  if (value !== undefined) return value
  throw new UnexpectedResponseError(hostOf(asked), `${whatOf(asked)} was not answered with JSON`)
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function hostOf({ url }: Asked): string {
  return new URL(url).host
}

/** Without the query: it can hold what a log should not. */
function whatOf({ method, url }: Asked): string {
  return `${method} ${new URL(url).pathname}`
}
