import { hash } from 'node:crypto'
import type { Store } from '../stores/store.ts'

/** Whose grant it is, in the provider's terms: a subject's, or of a session that the provider has. */
export type Subject = { provider: string; subject: string } | { provider: string; sid: string }

/** Where a grant is kept, and until when. */
interface Entry {
  key: string
  endsAt: number | undefined
}

/** A subject has few grants, but may log in from new browsers for ever: the oldest make room. */
const mostEntries = 100

/**
 * Which records a provider's subject has, or its session, for whoever knows no more than that (webhooks,
 * logouts at the provider). An entry
 * may be of a grant that is gone; the record itself says. It is not sealed, for it tells nothing and is
 * not believed, and so no change of secrets can lose it.
 */
export class SubjectIndex {
  readonly #store: Store
  readonly #namespace: string

  constructor(store: Store, namespace: string) {
    this.#store = store
    this.#namespace = namespace
  }

  async keysOf(whose: Subject): Promise<string[]> {
    const stored = await this.#store.get(this.#placeOf(whose))
    return stored ? entriesIn(stored.value).map(({ key }) => key) : []
  }

  /** Gives the keys of those that had to make room. */
  add(whose: Subject, entry: Entry): Promise<string[]> {
    return this.#change(whose, (entries) => [entry, ...without(entries, entry.key)])
  }

  async remove(whose: Subject, key: string): Promise<void> {
    await this.#change(whose, (entries) => without(entries, key))
  }

  async #change(whose: Subject, change: (entries: Entry[]) => Entry[]): Promise<string[]> {
    const place = this.#placeOf(whose)
    let pushedOut: string[] = []
    let done = false
    while (!done) {
      const stored = await this.#store.get(place)
      const before = stored ? entriesIn(stored.value) : []
      const alive = change(before).filter(isAlive)
      const after = alive.slice(0, mostEntries)
      pushedOut = alive.slice(mostEntries).map(({ key }) => key)
      if (after.length > 0) {
        const value = Buffer.from(JSON.stringify(after))
        const ttl = lifetimeOf(after)
        const written = await this.#store.compareAndSwap(place, stored?.version, value, { ttl })
        done = written !== undefined
      } else done = !stored || (await this.#store.compareAndDelete(place, stored.version))
    }
    return pushedOut
  }

  #placeOf(whose: Subject): string {
    const { provider } = whose
    const name =
      'sid' in whose ? ['sid', provider, whose.sid] : ['subject', provider, whose.subject]
    const tuple = JSON.stringify(name)
    return `${this.#namespace}:subject:${hash('sha256', tuple, 'hex')}`
  }
}

function without(entries: readonly Entry[], key: string): Entry[] {
  return entries.filter((entry) => entry.key !== key)
}

function isAlive({ endsAt }: Entry): boolean {
  return (endsAt ?? Infinity) > Date.now()
}

/** Seconds until the last one ends. */
function lifetimeOf(entries: readonly Entry[]): number | undefined {
  const last = Math.max(...entries.map(({ endsAt }) => endsAt ?? Infinity))
  return last === Infinity ? undefined : (last - Date.now()) / 1000
}

function entriesIn(bytes: Uint8Array): Entry[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString())
    return Array.isArray(value) ? value.filter(isEntry).slice(0, mostEntries) : []
  } catch {
    return []
  }
}

function isEntry(value: unknown): value is Entry {
  const { key, endsAt } = (value ?? {}) as Partial<Record<keyof Entry, unknown>>
  return typeof key === 'string' && (endsAt === undefined || typeof endsAt === 'number')
}
