import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * How a reply travels: `whole` as servers do, `byte-per-second`, `never` (the request hangs),
 * `reset` (the connection is reset instead), `reset-mid-body` (after half of the body),
 * `truncated` (the connection ends before the announced length).
 */
export type Delivery =
  | 'whole'
  | 'byte-per-second'
  | 'never'
  | 'reset'
  | 'reset-mid-body'
  | 'truncated'

/** A reply as a test writes it, word for word; nothing is added to it. */
export interface RawReply {
  /** Default 200. */
  status?: number | undefined
  headers?: Readonly<Record<string, string>> | undefined
  /** Default empty. */
  body?: string | Uint8Array | undefined
  /** Default `whole`. */
  delivery?: Delivery | undefined
}

/** A JSON reply that no cache keeps. */
export function jsonReply(
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): RawReply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(value),
  }
}

/** Sends the reply in the way its `delivery` says. */
export async function sendReply(response: ServerResponse, reply: RawReply): Promise<void> {
  const { delivery = 'whole' } = reply
  if (delivery === 'never') return
  if (delivery === 'reset') {
    response.socket?.resetAndDestroy()
    return
  }
  const body = startReply(response, reply)
  if (delivery === 'whole') response.end(body)
  else if (delivery === 'byte-per-second') await sendSlowly(response, body)
  else await breakOff(response, body, delivery)
}

function startReply(response: ServerResponse, reply: RawReply): Buffer {
  const { status = 200, headers = {}, body = '' } = reply
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  return Buffer.from(body)
}

async function sendSlowly(response: ServerResponse, body: Buffer): Promise<void> {
  response.setHeader('content-length', body.length)
  response.flushHeaders()
  for (let at = 0; at < body.length && !response.destroyed; at++) {
    response.write(body.subarray(at, at + 1))
    await wait(1000, undefined, { ref: false })
  }
  response.end()
}

async function breakOff(
  response: ServerResponse,
  body: Buffer,
  how: 'reset-mid-body' | 'truncated',
): Promise<void> {
  const truncated = how === 'truncated'
  response.setHeader('content-length', truncated ? body.length + 100 : body.length)
  const part = truncated ? body : body.subarray(0, Math.ceil(body.length / 2))
  await new Promise((resolve) => response.write(part, resolve))
  // A reset overtakes what the other side has not read yet.
  await wait(20)
  if (truncated) response.socket?.end()
  else response.socket?.resetAndDestroy()
}
