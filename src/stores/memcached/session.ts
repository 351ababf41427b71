import { StoreUnavailableError } from '../../errors.ts'
import { newVersion } from '../version.ts'
import type { MemcachedConnection } from './connection.ts'
import type { MemcachedNames, MemcachedPlace } from './names.ts'
import { readRecord } from './record.ts'
import type { MemcachedEntry, MemcachedRecord } from './record.ts'
import { flagOf } from './reply.ts'
import type { MemcachedReply } from './reply.ts'
import { ServerClock, droppedAt, lastInstant } from './server-clock.ts'

/** What was found under a key, and on which session: only there its `cas` means something. */
export interface Found {
  session: MemcachedSession
  place: MemcachedPlace
  /** memcached's own mark of what is physically there, be it valid or not. */
  cas: string | undefined
  /** What is valid and has not expired. */
  record: MemcachedRecord | undefined
  /** `undefined` where there is none yet, or none any more. */
  generation: string | undefined
}

/** How often another one may be quicker before it is not believed any more. */
const mostTries = 20

/** A session knows so many segments' generations by heart. */
const mostSegments = 1000

/** What the operations of one turn of the event loop ask for at its end. */
interface Turn {
  /** Their segments, and the id of each as it comes in. */
  ids: Map<string, string | undefined>
  ended: Promise<void>
}

/**
 * What one connection to a server makes possible. A server that was started again is another
 * session: its marks (`cas`) begin again, its generations are gone.
 *
 * **Generations.** memcached cannot list, so that clearing makes unreachable instead: an entry is
 * valid while it has the generation that its namespace and its segment have on the same server. A
 * generation is a random id that is never used twice, so that what has once lost its generation, by
 * clearing, eviction or a restart, is never seen again. The generations are read with every
 * operation, in the same packet and once for all operations of a turn, always *after* the entry:
 * what does not fit then is old for certain. What is written has the generation that was last seen,
 * and is written again when it turns out to have changed.
 */
export class MemcachedSession {
  readonly #connection: MemcachedConnection
  readonly #names: MemcachedNames
  readonly #clock = new ServerClock()
  /** The generations last seen. */
  readonly #seen = new Map<string, string>()
  #turn: Turn | undefined

  constructor(connection: MemcachedConnection, names: MemcachedNames) {
    this.#connection = connection
    this.#names = names
  }

  get isOpen(): boolean {
    return this.#connection.isOpen
  }

  /** The server's clock, epoch ms; once anything has been found or written. */
  now(): number {
    return this.#clock.now()
  }

  /** Ends when nothing is under way any more; what comes then fails with `reason`. */
  close(reason: Error): Promise<void> {
    return this.#connection.close(reason)
  }

  async find(place: MemcachedPlace): Promise<Found> {
    const asked = this.#ask(`mg ${place.name} v c`)
    const generation = await this.#generation(place.segment)
    const reply = asked()
    const record = reply.value && generation ? readRecord(reply.value, place.key) : undefined
    const isValid = record?.generation === generation && this.#lives(record)
    return {
      session: this,
      place,
      cas: reply.code === 'VA' ? flagOf(reply, 'c') : undefined,
      record: isValid ? record : undefined,
      generation,
    }
  }

  /** As {@link find}, for what is going to be replaced: it must have a generation, and the time. */
  async findToWrite(place: MemcachedPlace): Promise<Found> {
    const found = await this.find(place)
    return found.generation === undefined
      ? { ...found, generation: await this.#make(place.segment) }
      : found
  }

  /** Writes whatever is there; the entry lives for `lives` milliseconds. */
  async set(place: MemcachedPlace, entry: MemcachedEntry, lives: number): Promise<void> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const generation = this.#seen.get(place.segment) ?? (await this.#make(place.segment))
      entry.stamp(generation, this.now() + lives)
      const asked = this.#ask(commandOf(place, entry), entry.bytes)
      const current = await this.#generation(place.segment)
      if (asked().code !== 'HD') throw notWritten()
      if (current === generation) return
    }
    throw unsteady()
  }

  /** Writes unless something else has been written since `found`; tells whether it was so. */
  async replace(found: Found, entry: MemcachedEntry, expiresAt: number): Promise<boolean> {
    const { place, cas, generation = '' } = found
    entry.stamp(generation, expiresAt)
    const condition = cas === undefined ? 'ME' : `C${cas}`
    const command = `${commandOf(place, entry)} ${condition}`
    return (await this.#connection.request(command, entry.bytes)).code === 'HD'
  }

  /** Deletes what is there, or what was `found` there; tells whether it was. */
  async remove({ name }: MemcachedPlace, cas?: string): Promise<boolean> {
    const condition = cas === undefined ? '' : ` C${cas}`
    return (await this.#connection.request(`md ${name}${condition}`)).code === 'HD'
  }

  /** Makes everything of a segment, or of the namespace, invalid. */
  async invalidate(segment: string): Promise<void> {
    await this.#writeGeneration(segment, '')
  }

  #lives(record: MemcachedRecord | undefined): boolean {
    return record !== undefined && record.expiresAt > this.now()
  }

  /** Sends a command; what it gives is to be called once the turn has ended. */
  #ask(command: string, data?: Uint8Array): () => MemcachedReply {
    let answer: MemcachedReply | Error | undefined
    this.#connection.send(command, data, (given) => (answer = given))
    return () => {
      if (answer === undefined || answer instanceof Error) throw answer ?? unanswered()
      return answer
    }
  }

  /**
   * What the generation is at the end of this turn. It is the last thing that is asked for, so that
   * all that was asked for before it has been answered by then.
   */
  async #generation(segment: string): Promise<string | undefined> {
    const { ids, ended } = (this.#turn ??= this.#newTurn())
    ids.set(segment, undefined)
    await ended
    const [whole, part] = [ids.get(''), ids.get(segment)]
    const generation = segment === '' ? whole : whole && part && whole + part
    this.#remember(segment, generation)
    return generation
  }

  #newTurn(): Turn {
    const ids = new Map<string, string | undefined>()
    const ended = new Promise<void>((resolve, reject) => {
      this.#connection.atEndOfTurn(() => {
        this.#turn = undefined
        for (const segment of ids.keys()) if (segment !== '') this.#askForId(segment, ids, () => {})
        this.#askForId('', ids, (error) => (error ? reject(error) : resolve()))
      })
    })
    return { ids, ended }
  }

  #askForId(segment: string, ids: Turn['ids'], onAnswer: (error: Error | undefined) => void): void {
    const command = `mg ${this.#names.generation(segment)} v t`
    this.#connection.send(command, undefined, (answer) => {
      if (answer instanceof Error) return onAnswer(answer)
      ids.set(segment, this.#idOf(segment, answer))
      onAnswer(undefined)
    })
  }

  #remember(segment: string, generation: string | undefined): void {
    if (generation === undefined) this.#seen.delete(segment)
    else if (this.#seen.get(segment) !== generation) {
      if (this.#seen.size >= mostSegments) this.#seen.clear()
      this.#seen.set(segment, generation)
    }
  }

  /** The entry of the namespace tells the time as well, by what it has left. */
  #idOf(segment: string, reply: MemcachedReply): string | undefined {
    const id = reply.value?.toString('latin1')
    if (id === undefined || !/^[\w-]{16}$/.test(id)) return undefined
    if (segment !== '') return id
    const left = Number(flagOf(reply, 't'))
    if (!(left > 0)) return undefined
    this.#clock.hear(left)
    return id
  }

  /** Gives the generation of a segment, after it was made where there was none. */
  async #make(segment: string): Promise<string> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const generation = await this.#generation(segment)
      if (generation !== undefined) return generation
      for (const part of new Set(['', segment])) await this.#makeOne(part)
    }
    throw unsteady()
  }

  /** Where others make it at the same time, the first one's stays. */
  async #makeOne(segment: string): Promise<void> {
    const reply = await this.#connection.request(`mg ${this.#names.generation(segment)} v t c`)
    if (this.#idOf(segment, reply) !== undefined) return
    const isThere = reply.code === 'VA'
    await this.#writeGeneration(segment, isThere ? ` C${flagOf(reply, 'c')}` : ' ME')
  }

  #writeGeneration(segment: string, condition: string): Promise<MemcachedReply> {
    const id = newVersion()
    const until = segment === '' ? lastInstant : 0
    const command = `ms ${this.#names.generation(segment)} ${id.length} T${until}${condition}`
    return this.#connection.request(command, Buffer.from(`${id}\r\n`))
  }
}

function commandOf({ name }: MemcachedPlace, { size, expiresAt }: MemcachedEntry): string {
  return `ms ${name} ${size} T${droppedAt(expiresAt)}`
}

function unanswered(): StoreUnavailableError {
  return new StoreUnavailableError('the memcached server answered out of order')
}

function notWritten(): StoreUnavailableError {
  return new StoreUnavailableError('the memcached server did not store an entry')
}

function unsteady(): StoreUnavailableError {
  return new StoreUnavailableError('the memcached server does not keep what is written')
}
