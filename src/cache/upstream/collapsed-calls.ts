import { type Answer, isForAll } from '../answer.ts'
import type { Exchange } from '../cached-call.ts'
import { Collapsing, type Outcome } from './collapsing.ts'
import type { FillLeases } from './fill-leases.ts'
import type { Forwarder } from './forwarder.ts'
import { decideReuse } from '../http/reuse.ts'
import { ReadFields } from '../http/stored-fields.ts'
import { matchesVariant, variantOf, varyingFields } from '../http/vary.ts'
import { look, type Places } from '../places.ts'
import type { Asked, StoredResponses } from '../stored/stored-responses.ts'

/** What a call needs to become one with others. */
export interface Collapse {
  readonly forwarder: Forwarder
  /** Where a reply that another call has brought is found. */
  readonly responses: StoredResponses
  /** Over all processes; without it, in this one. */
  readonly leases?: FillLeases | undefined
}

/** An answer, and the request that it was given to. */
interface Landed {
  readonly answer: Answer
  readonly asked: Asked
}

/** Makes one upstream call of equal ones at the same time (RFC 9111 section 4). */
export class CollapsedCalls {
  readonly #collapse: Collapse
  readonly #collapsing = new Collapsing<Landed>()

  constructor(collapse: Collapse) {
    this.#collapse = collapse
  }

  /** Rejects with the reason of the caller's signal, or as the call that was made. */
  async ask(exchange: Exchange, places: Places): Promise<Answer> {
    if (!isPlain(exchange)) return this.#collapse.forwarder.exchange(exchange, places, {})
    const landed = await this.#join(keyOf(exchange, places), exchange, places)
    return fits(landed, exchange, places) ? landed.answer : this.#askAgain(landed, exchange, places)
  }

  /** What came is another variant: its own is there by now, or is asked for. */
  async #askAgain({ answer }: Landed, exchange: Exchange, places: Places): Promise<Answer> {
    const { partition, key } = places.own
    const now = await look(this.#collapse.responses, exchange, partition)
    const found = freshIn(now, exchange)
    if (found) return found
    const own = variantOf(variedBy(answer), exchange.asked.headers, partition.key)
    const landed = await this.#join(JSON.stringify([key, own]), exchange, now)
    if (fits(landed, exchange, now)) return landed.answer
    return this.#collapse.forwarder.exchange(exchange, now, {})
  }

  async #join(key: string, exchange: Exchange, places: Places): Promise<Landed> {
    const signal = exchange.call.signal?.()
    const fill = (shared: AbortSignal | undefined) => this.#fill(key, exchange, places, shared)
    const { reply, collapsed } = await this.#collapsing.fetch(key, signal, fill)
    return collapsed ? { ...reply, answer: followed(reply.answer) } : reply
  }

  async #fill(
    key: string,
    exchange: Exchange,
    places: Places,
    signal: AbortSignal | undefined,
  ): Promise<Outcome<Landed>> {
    const { forwarder, responses, leases } = this.#collapse
    const { asked } = exchange
    const call = async (ends: AbortSignal | undefined) => {
      const answer = await forwarder.exchange(exchange, places, { signal: ends })
      return outcomeOf({ answer, asked })
    }
    if (!leases) return call(signal)
    const find = async () => {
      const answer = freshIn(await look(responses, exchange, places.own.partition), exchange)
      return answer && outcomeOf({ answer, asked })
    }
    return leases.fetch(key, signal, { find, call })
  }
}

/** Who asks in a way of their own gets a reply of their own. */
export function isPlain({
  asked: { method, headers },
  wish: { mode, directives },
}: Exchange): boolean {
  const isOwn = headers.has('if-none-match') || headers.has('if-modified-since')
  const isUsual = mode === 'default' || mode === 'force-cache'
  return method === 'GET' && isUsual && directives.size === 0 && !isOwn
}

function freshIn({ found: { match } }: Places, { wish }: Exchange): Answer | undefined {
  const isGood = match !== undefined && decideReuse(match, wish, Date.now()) === 'use'
  return isGood ? { stored: match } : undefined
}

function outcomeOf(landed: Landed): Outcome<Landed> {
  const { answer } = landed
  if (isForAll(answer)) return { shared: true, reply: () => landed }
  const response =
    'stored' in answer ? new Response(null, { status: answer.stored.status }) : answer.response
  return { shared: false, reply: landed, response }
}

/** Calls with other tags, or another lifetime, are stored in another way. */
function keyOf({ call: { ttl, tags = [] } }: Exchange, { own: { key } }: Places): string {
  return ttl === undefined && tags.length === 0 ? key : JSON.stringify([key, ttl ?? null, tags])
}

/** Would the caller have been given the same? */
function fits({ answer, asked }: Landed, exchange: Exchange, { own }: Places): boolean {
  if (asked === exchange.asked) return true
  const { key } = own.partition
  const variant = variantOf(variedBy(answer), asked.headers, key)
  return matchesVariant(variant, exchange.asked.headers, key)
}

function variedBy(answer: Answer): readonly string[] {
  const headers =
    'stored' in answer ? new ReadFields(answer.stored.headers) : answer.response.headers
  return varyingFields(headers.get('vary')) ?? []
}

function followed(answer: Answer): Answer {
  const { status } = answer
  if (status === undefined || status.hit !== undefined) return answer
  return { ...answer, status: { ...status, collapsed: true } }
}
