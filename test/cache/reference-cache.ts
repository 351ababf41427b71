/** What upstream answers, until it says otherwise. Times in seconds. */
export interface ReferenceReply {
  status: number | 'unreachable'
  /** `max-age`. */
  lifetime: number | undefined
  age: number
  staleWhileRevalidate: number
  staleIfError: number
  says: string
  /** `public`. */
  shares: boolean
}

interface Kept extends ReferenceReply {
  text: string
  at: number
}

/** What a caller gets, and whether upstream was asked. */
interface Got {
  text: string
  asked: boolean
}

/**
 * A cache as slow and plain as can be, for replies without validators: RFC 9111 sections 3, 4.2, 4.4
 * and 5.2, RFC 5861, one sentence after the other.
 */
export class ReferenceCache {
  readonly #isShared: boolean
  #kept = new Map<string, Kept>()
  now = 0

  constructor(isShared: boolean) {
    this.#isShared = isShared
  }

  /** `next`: what upstream has sent last, if it was asked. */
  get(user: string, url: string, asks: string, reply: ReferenceReply, next: () => string): Got {
    const shared = this.#isShared ? this.#kept.get(placeOf('all', url)) : undefined
    const kept = shared ?? this.#kept.get(placeOf(user, url))
    if (kept && this.#mayUse(kept, asks)) return { text: kept.text, asked: false }
    if (kept && this.#mayUseWhileRefreshing(kept, asks)) {
      this.#take(user, url, reply, next())
      return { text: kept.text, asked: true }
    }
    if (asks === 'only-if-cached') return { text: '', asked: false }
    const isFailure = reply.status === 'unreachable' || reply.status === 503
    if (kept && isFailure && this.#mayUseOnError(kept, asks)) {
      return { text: kept.text, asked: true }
    }
    if (reply.status === 'unreachable') return { text: 'an error', asked: true }
    this.#take(user, url, reply, next())
    return { text: next(), asked: true }
  }

  write(user: string, url: string): void {
    this.#kept.delete(placeOf(user, url))
    this.#kept.delete(placeOf('all', url))
  }

  forgetAll(): void {
    this.#kept.clear()
  }

  #ageOf({ age, at }: Kept): number {
    return age + Math.max(0, this.now - at)
  }

  #left(kept: Kept): number {
    return (kept.lifetime ?? 0) - this.#ageOf(kept)
  }

  #mayUse(kept: Kept, asks: string): boolean {
    if (asks === 'no-cache' || kept.says === 'no-cache') return false
    if (asks === 'max-age=7' && this.#ageOf(kept) > 7) return false
    const left = this.#left(kept)
    if (asks === 'min-fresh=8') return left > 8
    if (left > 0) return true
    if (kept.says === 'must-revalidate') return false
    if (asks === 'max-stale') return true
    return asks === 'max-stale=12' && -left < 12
  }

  #mayUseWhileRefreshing(kept: Kept, asks: string): boolean {
    if (asks === 'no-cache' || asks === 'min-fresh=8') return false
    if (asks === 'max-age=7' && this.#ageOf(kept) > 7) return false
    if (kept.says !== 'nothing') return false
    return -this.#left(kept) < kept.staleWhileRevalidate
  }

  #mayUseOnError(kept: Kept, asks: string): boolean {
    if (asks === 'no-cache' || asks === 'max-age=7' || kept.says !== 'nothing') return false
    return -this.#left(kept) < kept.staleIfError
  }

  #take(user: string, url: string, reply: ReferenceReply, text: string): void {
    const { status, lifetime, age, says, shares, staleWhileRevalidate, staleIfError } = reply
    const isOfUser = status === 503 || status === 'unreachable'
    if (isOfUser) return
    const beyond = says === 'must-revalidate' ? 0 : Math.max(staleWhileRevalidate, staleIfError)
    const isUseful = (lifetime ?? 0) + beyond > age && says !== 'no-cache'
    // Without a lifetime 200 and 404 are stale at once, which may be of use (RFC 9110 section 15.1).
    const isStorable = says !== 'no-store' && isUseful
    if (!isStorable) return this.#dropFound(user, url)
    const mayShare = this.#isShared && (shares || says === 'must-revalidate')
    this.#kept.set(placeOf(mayShare ? 'all' : user, url), { ...reply, text, at: this.now })
  }

  /** What was found is out of date, and nothing takes its place. */
  #dropFound(user: string, url: string): void {
    const isShared = this.#isShared && this.#kept.has(placeOf('all', url))
    this.#kept.delete(placeOf(isShared ? 'all' : user, url))
  }
}

function placeOf(user: string, url: string): string {
  return `${user} ${url}`
}
