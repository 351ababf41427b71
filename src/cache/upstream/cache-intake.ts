import type { Answer } from '../answer.ts'
import type { Forwarded } from '../cache-status.ts'
import type { Exchange } from '../cached-call.ts'
import { withoutFragment } from '../http/invalidation.ts'
import { type Received, received, type CacheKind } from '../http/received.ts'
import type { StaleAllowance } from '../http/stale.ts'
import { freshenedFields, ReadFields, storableFields } from '../http/stored-fields.ts'
import { isPassing, type Keeping, permitsSharing, type StoringContext } from '../http/storing.ts'
import { hasValidator, isSameRepresentation } from '../http/validation.ts'
import { variantOf, variesByUser, varyingFields } from '../http/vary.ts'
import type { Capture, Places } from '../places.ts'
import { rebuild } from '../rebuild.ts'
import type { ItemPlace } from '../rules/repository-places.ts'
import { decideStoring } from './storing.ts'
import { type KeptReply, type StoredResponse, storedResponse } from '../stored/stored-response.ts'
import type { Asked, Lookup, StoredResponses } from '../stored/stored-responses.ts'
import type { Captured } from '../stored/tags.ts'
import { readWhole } from './whole-body.ts'

/** What is true of all replies that a cache takes in. */
export interface IntakeSettings extends StaleAllowance {
  readonly kind: CacheKind
  readonly jitter: number
  readonly maxEntryBytes: number
}

/** A reply from upstream to a request that was forwarded, and why it was. */
export interface Arrival {
  readonly response: Response
  readonly requestedAt: number
  readonly fwd: Forwarded['fwd']
  readonly captured: Capture
}

/** Of one reply: header fields beyond it are not worth keeping. */
export const mostHeaderBytes = 32_768

/** Seconds for which something stale is kept at least, and where it can be validated. */
const grace = { least: 60, withValidator: 3600 }

/** Seconds: a year, whatever a reply says. */
const longestKept = 365 * 24 * 3600

/** Takes in what comes from upstream (RFC 9111 sections 3 and 4.3): judges it, and keeps it or not. */
export class CacheIntake {
  readonly #responses: StoredResponses
  readonly #settings: IntakeSettings

  constructor(responses: StoredResponses, settings: IntakeSettings) {
    this.#responses = responses
    this.#settings = settings
  }

  /** A whole reply: stored where that is allowed, and the answer in any case. */
  async reply(exchange: Exchange, places: Places, arrival: Arrival): Promise<Answer> {
    const { response, requestedAt, fwd, captured } = arrival
    const { asked } = exchange
    const fwdStatus = response.status
    const reply = received(response, requestedAt, Date.now())
    const fields = varyingFields(reply.headers.get('vary'))
    const decision = decideStoring(reply, exchange.policy, this.#contextOf(exchange))
    const passOn = async (
      detail: string,
      changes: { bytes?: Uint8Array } = {},
      body = response,
    ) => {
      if (!isPassing(fwdStatus)) await this.#drop(places)
      return { response: body, status: { fwd, fwdStatus, stored: false, detail }, ...changes }
    }
    if (!decision.store) return passOn(decision.reason)
    if (!fields) return passOn('vary')
    const headers = storableFields(reply, this.#settings.kind)
    if (sizeOf(headers) > mostHeaderBytes) return passOn('too-large')
    const read = await readWhole(response.body, reply.headers, this.#settings.maxEntryBytes)
    if ('stream' in read) return passOn('too-large', {}, rebuild(response, read.stream))
    if (!read.complete) return passOn('incomplete', { bytes: read.bytes })

    const mayShare = permitsSharing(reply) && !variesByUser(fields)
    const place = (mayShare && places.shared) || places.own
    const kept = {
      status: fwdStatus,
      headers,
      variant: variantOf(fields, asked.headers, place.partition.key),
      url: response.url || withoutFragment(asked.url),
      receivedAt: reply.receivedAt,
      tags: tagsOf(exchange),
      item: exchange.place?.item(read.bytes),
      body: read.bytes,
    }
    const keeping = this.#jittered(decision.keeping)
    const stored = await this.#put(place, captured.get(place), kept, keeping)
    return { response, bytes: read.bytes, status: { fwd, fwdStatus, stored } }
  }

  /** A 304 to our own question: what is stored is good, and its fields are brought up to date. */
  async notModified(
    exchange: Exchange,
    places: Places,
    match: StoredResponse,
    { response, requestedAt, fwd, captured }: Arrival,
  ): Promise<Answer> {
    const { kind } = this.#settings
    const fresh = received(response, requestedAt, Date.now())
    const headers = freshenedFields(match.headers, storableFields(fresh, kind))
    const { found, shared } = places
    // What this user was told does not go to others without a word that it may.
    if (found === shared && !permitsSharing(fresh)) {
      await this.#responses.drop(found)
      const updated = { ...match, headers, receivedAt: fresh.receivedAt, initialAge: 0 }
      return { stored: updated, status: { fwd, fwdStatus: response.status, stored: false } }
    }
    const { stored, updated, detail } = await this.#freshen(
      exchange,
      places,
      { ...match, headers },
      fresh,
      captured,
    )
    return { stored: updated, status: { fwd, fwdStatus: response.status, stored, detail } }
  }

  /** A reply to HEAD tells whether what GET stored is still good (section 4.3.5). */
  async head(exchange: Exchange, places: Places, arrival: Arrival): Promise<Answer> {
    const { response, fwd } = arrival
    const { match } = places.found
    const status = { fwd, fwdStatus: response.status, stored: false }
    if (!match || response.status !== match.status) return { response, status }
    if (isSameRepresentation(new ReadFields(match.headers), response.headers)) {
      return this.notModified(exchange, places, match, arrival)
    }
    await this.#drop(places)
    return { response, status }
  }

  /** A response of a repository that came in another way than by its URL: tells whether it was kept. */
  async item(
    { asked, place }: { readonly asked: Asked; readonly place: ItemPlace },
    lookup: Lookup,
    captured: Captured,
    response: Response,
  ): Promise<boolean> {
    const { kind, staleWhileRevalidate, staleIfError, maxEntryBytes } = this.#settings
    const now = Date.now()
    const reply = received(response, now, now)
    const context = { kind, authorized: true, staleWhileRevalidate, staleIfError }
    const { rule } = place
    const decision = decideStoring(reply, { rule, ttl: rule.ttl }, context)
    const fields = varyingFields(reply.headers.get('vary'))
    const headers = storableFields(reply, kind)
    if (!decision.store || !fields || sizeOf(headers) > mostHeaderBytes) return false
    const body = new Uint8Array(await response.arrayBuffer())
    if (body.byteLength > maxEntryBytes) return false
    const kept = {
      status: response.status,
      headers,
      variant: variantOf(fields, asked.headers, lookup.partition.key),
      receivedAt: now,
      tags: rule.tags ?? [],
      item: place.item(body),
      body,
    }
    return this.#put(lookup, captured, kept, this.#jittered(decision.keeping))
  }

  async #freshen(
    exchange: Exchange,
    { found: place, shared }: Places,
    match: StoredResponse,
    fresh: Received,
    captured: Capture,
  ): Promise<{ stored: boolean; updated: StoredResponse; detail?: string }> {
    const { status } = match
    // It is of the reply that came, all else of what is stored.
    const age = [...fresh.headers].filter(([name]) => name === 'age')
    const headers = [...match.headers, ...age]
    const reply = received({ status, headers }, fresh.requestedAt, fresh.receivedAt)
    const decision = decideStoring(reply, exchange.policy, this.#contextOf(exchange))
    const fields = varyingFields(reply.headers.get('vary'))
    const isOfUser = fields && place === shared && variesByUser(fields)
    if (!decision.store || !fields || isOfUser) {
      await this.#responses.drop(place)
      const updated = { ...match, receivedAt: fresh.receivedAt, initialAge: 0 }
      return { stored: false, updated, detail: decision.store ? 'vary' : decision.reason }
    }
    const variant = variantOf(fields, exchange.asked.headers, place.partition.key)
    const keeping = this.#jittered(decision.keeping)
    const updated = { ...match, ...keeping, variant, receivedAt: fresh.receivedAt }
    const stored = await this.#put(place, captured.get(place), updated, keeping)
    return { stored, updated }
  }

  async #put(
    place: Lookup,
    captured: Captured | undefined,
    kept: KeptReply,
    keeping: Keeping,
  ): Promise<boolean> {
    if (!captured?.mayStore()) return false
    const stored = storedResponse(kept, keeping, captured.marks)
    return this.#responses.keep(place, stored, physicalTtl(stored))
  }

  /** What was stored is out of date, and nothing takes its place. */
  async #drop({ found }: Places): Promise<void> {
    if (found.match) await this.#responses.drop(found)
  }

  #contextOf({ call, policy: { rule } }: Exchange): StoringContext {
    const { kind, staleWhileRevalidate, staleIfError } = this.#settings
    return {
      kind,
      authorized: call.authorized,
      staleWhileRevalidate: rule?.staleWhileRevalidate ?? staleWhileRevalidate,
      staleIfError: rule?.staleIfError ?? staleIfError,
    }
  }

  #jittered(keeping: Keeping): Keeping {
    const { jitter } = this.#settings
    const left = keeping.lifetime - keeping.initialAge
    if (jitter === 0 || left <= 0) return keeping
    return { ...keeping, lifetime: keeping.lifetime - left * jitter * Math.random() }
  }
}

/** The rule's, and those of the call. */
function tagsOf({ call, policy }: Exchange): string[] {
  return [...new Set([...(policy.rule?.tags ?? []), ...(call.tags ?? [])])]
}

/** Longer than freshness: something stale can still be validated, or be better than nothing. */
function physicalTtl(stored: StoredResponse): number {
  const { lifetime, initialAge, staleWhileRevalidate, staleIfError, headers } = stored
  const usual = hasValidator(new ReadFields(headers)) ? grace.withValidator : grace.least
  const beyond = Math.max(staleWhileRevalidate, staleIfError, usual)
  return Math.min(Math.max(0, lifetime - initialAge) + beyond, longestKept)
}

function sizeOf(headers: StoredResponse['headers']): number {
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
}
