import { hash } from 'node:crypto'
import type { Store } from '../stores/store.ts'

/** Where a subject's grant is kept, and until when. */
export interface SubjectEntry {
  provider: string
  subject: string
  key: string
  endsAt: number | undefined
}

type Kept = Pick<SubjectEntry, 'key' | 'endsAt'>

/** A subject has few grants, but may log in from new browsers for ever: the oldest make room. */
const mostEntries = 100

/**
 * Which records a provider's subject has, for whoever knows the subject only (webhooks). An entry
 * may be of a grant that is gone; the record itself says.
 */
export class SubjectIndex {
  readonly #store: Store
  readonly #namespace: string

  constructor(store: Store, namespace: string) {
    this.#store = store
    this.#namespace = namespace
  }

  async keysOf(provider: string, subject: string): Promise<string[]> {
    const stored = await this.#store.get(this.#keyOf(provider, subject))
    return stored ? entriesIn(stored.value).map(({ key }) => key) : []
  }

  async add({ provider, subject, key, endsAt }: SubjectEntry): Promise<void> {
    const place = this.#keyOf(provider, subject)
    let written: string | undefined
    while (written === undefined) {
      const stored = await this.#store.get(place)
      const others = stored ? entriesIn(stored.value).filter((one) => one.key !== key) : []
      const alive = others.filter((one) => (one.endsAt ?? Infinity) > Date.now())
      const entries: Kept[] = [{ key, endsAt }, ...alive].slice(0, mostEntries)
      const value = Buffer.from(JSON.stringify(entries))
      const ttl = lifetimeOf(entries)
      written = await this.#store.compareAndSwap(place, stored?.version, value, { ttl })
    }
  }

  #keyOf(provider: string, subject: string): string {
    const tuple = JSON.stringify(['subject', provider, subject])
    return `${this.#namespace}:subject:${hash('sha256', tuple, 'hex')}`
  }
}

/** Seconds until the last one ends. */
function lifetimeOf(entries: readonly Kept[]): number | undefined {
  const last = Math.max(...entries.map(({ endsAt }) => endsAt ?? Infinity))
  return last === Infinity ? undefined : (last - Date.now()) / 1000
}

function entriesIn(bytes: Uint8Array): Kept[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString())
    return Array.isArray(value) ? value.filter(isEntry) : []
  } catch {
    return []
  }
}

function isEntry(value: unknown): value is Kept {
  const { key, endsAt } = (value ?? {}) as Partial<Record<keyof Kept, unknown>>
  return typeof key === 'string' && (endsAt === undefined || typeof endsAt === 'number')
}
