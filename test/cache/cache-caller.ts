import {
  grantPartition,
  type Partition,
  sharedPartition,
} from '../../src/cache/stored/partition.ts'
import type { CachedCall } from '../../src/cache/cached-call.ts'
import { forwardedRequest } from '../../src/cache/upstream/forwarding.ts'
import { ResponseCache } from '../../src/cache/response-cache.ts'
import type { ResponseCacheOptions } from '../../src/cache/response-cache-options.ts'
import { type CacheRules, compileRules } from '../../src/cache/rules/rules.ts'
import { memoryStore } from '../../src/stores/memory.ts'

export const target = 'https://api.example/v1/me'

const partitionOf = (user: string, provider = 'p') =>
  grantPartition(provider, user, Buffer.alloc(32, user))

export interface CallerOptions extends ResponseCacheOptions {
  providerRules?: CacheRules
}

type Wish = Partial<Omit<CachedCall, 'rules' | 'forward'>> & { user?: string }

/** A cache before an upstream that answers with `reply`, and what came there. */
export function cacheBefore(
  reply: (request: Request, calls: number) => Response | Promise<Response>,
  { providerRules, ...options }: CallerOptions = {},
) {
  const cache = new ResponseCache({ store: memoryStore(), ...options })
  const rules = compileRules(providerRules)
  const seen: Request[] = []
  const fetch = (input: string | Request = target, wish: Wish = {}, init: RequestInit = {}) => {
    const request = new Request(input, init)
    const { user = 'ada', ...rest } = wish
    return cache.fetch(request, {
      partition: async (): Promise<Partition> => partitionOf(user),
      shared: sharedPartition({ name: 'p', issuer: 'https://p.example' }, Buffer.alloc(32, 'app')),
      mode: 'default',
      authorized: true,
      ...rest,
      rules,
      forward: async (forwarding) => {
        const sent = forwardedRequest(request, forwarding)
        seen.push(sent)
        return reply(sent, seen.length)
      },
    })
  }
  const statusOf = async (...how: Parameters<typeof fetch>) => {
    const response = await fetch(...how)
    await response.arrayBuffer()
    return response.headers.get('cache-status')!.replace('behalf; ', '')
  }
  return { cache, seen, fetch, statusOf }
}

/** Lets time pass for the cache, whose clock is `Date.now`, and stand still meanwhile. */
export class Clock {
  readonly #now = Date.now
  readonly #startedAt = Date.now()
  #ahead = 0

  constructor() {
    Date.now = () => this.#startedAt + this.#ahead
  }

  /** Seconds. */
  pass(seconds: number): void {
    this.#ahead += seconds * 1000
  }

  restore(): void {
    Date.now = this.#now
  }
}

/** An upstream that always answers so. */
export const answering =
  (headers: Record<string, string>, body: string | null = '{"n":1}', status = 200) =>
  () =>
    new Response(body, { status, headers })
