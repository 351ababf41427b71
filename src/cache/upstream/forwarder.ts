import { BehalfError } from '../../errors.ts'
import type { Answer } from '../answer.ts'
import type { Arrival, CacheIntake } from './cache-intake.ts'
import type { Forwarded } from '../cache-status.ts'
import type { Exchange } from '../cached-call.ts'
import type { Forwarding } from './forwarding.ts'
import { isGoodOnError } from '../http/reuse.ts'
import { ReadFields } from '../http/stored-fields.ts'
import { freshnessAsked, validatorsOf } from '../http/validation.ts'
import { capture, type Places } from '../places.ts'

/** Statuses that say nothing about the resource (RFC 5861 section 4); 429 asks not to be asked. */
const failures = new Set([429, 500, 502, 503, 504])

/** Makes exchanges with upstream: asks about what is stored, and hands what comes to the intake. */
export class Forwarder {
  readonly #intake: CacheIntake

  constructor(intake: CacheIntake) {
    this.#intake = intake
  }

  /** Rejects as `forward` does, where nothing stored is better than that. */
  async exchange(
    exchange: Exchange,
    places: Places,
    how: Pick<Forwarding, 'detached' | 'signal'>,
  ): Promise<Answer> {
    const validators = validatorsFor(exchange, places)
    const fields = fieldsToAsk(exchange, validators)
    const fwd = reasonOf(exchange, places)
    const captured = await capture(places)
    const requestedAt = Date.now()
    try {
      const response = await exchange.call.forward({ ...how, fields })
      const arrival = { response, requestedAt, fwd, captured }
      return (
        this.#insteadOf(exchange, places, arrival) ??
        (await this.#take(exchange, places, arrival, validators !== undefined))
      )
    } catch (error) {
      const stale = isUnreachable(error) ? staleOnError(exchange, places, { fwd }) : undefined
      if (stale) return stale
      throw error
    }
  }

  #take(
    exchange: Exchange,
    places: Places,
    arrival: Arrival,
    isValidation: boolean,
  ): Promise<Answer> {
    const { match } = places.found
    const isNotModified = isValidation && arrival.response.status === 304
    if (match && isNotModified) return this.#intake.notModified(exchange, places, match, arrival)
    if (exchange.asked.method === 'HEAD') return this.#intake.head(exchange, places, arrival)
    return this.#intake.reply(exchange, places, arrival)
  }

  /** What is stored, where it is better than the failure that came. */
  #insteadOf(exchange: Exchange, places: Places, { response, fwd }: Arrival): Answer | undefined {
    if (!failures.has(response.status)) return undefined
    const stale = staleOnError(exchange, places, { fwd, fwdStatus: response.status })
    if (stale) response.body?.cancel().catch(() => {})
    return stale
  }
}

function staleOnError(
  { wish }: Exchange,
  { found: { match } }: Places,
  told: Pick<Forwarded, 'fwd' | 'fwdStatus'>,
): Answer | undefined {
  if (!match || !isGoodOnError(match, wish, Date.now())) return undefined
  return { stored: match, status: { ...told, stored: false, detail: 'stale-if-error' } }
}

type FieldsToSend = Readonly<Record<string, string>>

function validatorsFor({ wish }: Exchange, { found }: Places): FieldsToSend | undefined {
  if (!found.match || wish.mode === 'reload') return undefined
  return validatorsOf(new ReadFields(found.match.headers))
}

/** What the request is sent with beside its own fields. */
function fieldsToAsk(
  { asked, wish }: Exchange,
  validators: FieldsToSend | undefined,
): FieldsToSend | undefined {
  const control = freshnessAsked(wish.mode, asked.headers, validators !== undefined)
  return control === undefined ? validators : { ...validators, 'cache-control': control }
}

/** Why the request went forward (RFC 9211 section 2.2). */
function reasonOf({ wish }: Exchange, { found }: Places): Forwarded['fwd'] {
  if (wish.mode === 'reload' || wish.mode === 'no-cache') return 'request'
  if (found.match) return 'stale'
  return found.entry.length > 0 ? 'vary-miss' : 'uri-miss'
}

/** Errors with a code of ours say that the call may not be made; the caller's own abort is a wish. */
function isUnreachable(error: unknown): boolean {
  return !(error instanceof BehalfError) && (error as { name?: unknown })?.name !== 'AbortError'
}
