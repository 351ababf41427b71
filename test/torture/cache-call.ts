import { BehalfError } from '../../src/index.ts'
import type { ApiRequestInit } from '../../src/oauth/api-client.ts'
import type { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import type { Credentials } from './cache-credentials.ts'
import { families, kinds, mayBeShared } from './cache-paths.ts'
import { namedIn, restOf, type Said } from './cache-upstream.ts'
import type { CacheVisitor } from './cache-visitors.ts'
import { now } from './clock.ts'

/** What came of a call. */
export interface CallOutcome {
  /** What it is to be counted as. */
  counted: string[]
  /** Whose reply it was, by body and header, where it had to be the caller's own. */
  served?: {
    whose: Credentials[]
    mine: Pick<CacheVisitor, 'login' | 'name' | 'subject' | 'scope'>
    /** See clock.ts. */
    from: number
    to: number
  }
  wrong?: string
}

const languages = ['de', 'en']
/** What is asked for at one time: little, so that most of it is asked for again. */
const hotPaths = 9
const modes = ['no-cache', 'reload', 'no-store', 'force-cache', 'only-if-cached'] as const

/** A call at random, and what may be wrong with its reply. */
export class CacheCall {
  readonly #family: string
  readonly #kind: string
  readonly #query: string
  readonly #method: string
  readonly #language: string

  private constructor(
    family: string,
    kind: string,
    query: string,
    method: string,
    language: string,
  ) {
    this.#family = family
    this.#kind = kind
    this.#query = query
    this.#method = method
    this.#language = language
  }

  /** Most read what is asked for by everybody in that `epoch`. */
  static of(random: SeededRandom, epoch: number): CacheCall {
    const isHot = random.next() < 0.95
    const place = isHot
      ? epoch * hotPaths + random.between(0, hotPaths - 1)
      : random.between(0, 1e6)
    const family = families[place % families.length]!
    const kind = usualKinds[(place * 7) % usualKinds.length]!
    const query = random.next() < 0.95 ? '' : '?id=a%2Fb&id=a/b'
    const method = random.next() < 0.98 ? 'GET' : random.pick(['HEAD', 'PUT', 'PATCH', 'DELETE'])
    return new CacheCall(family, kind, query, method, random.pick(languages))
  }

  /** Makes it for one visitor. */
  async make(visitor: CacheVisitor, random: SeededRandom): Promise<CallOutcome> {
    const { login, name, subject, scope } = visitor
    const mine = { login, name, subject, scope }
    const ending = random.next() < 0.03 ? new AbortController() : undefined
    const timer = ending && setTimeout(() => ending.abort(), random.between(0, 20))
    const from = now()
    try {
      const client = await visitor.client()
      const reply = await client.fetch(this.#path, this.#init(random, ending?.signal))
      const text = await reply.text()
      return this.#judge({ reply, text, mine, from })
    } catch (error) {
      return this.#failure(error, ending !== undefined)
    } finally {
      clearTimeout(timer)
    }
  }

  get #path(): string {
    return `${this.#family}/${this.#kind}${this.#query}`
  }

  #init(random: SeededRandom, signal: AbortSignal | undefined): ApiRequestInit {
    const cache = random.next() < 0.03 ? random.pick(modes) : 'default'
    const isTagged = random.next() < 0.1
    return {
      method: this.#method,
      headers: { 'accept-language': this.#language },
      cache,
      ...(signal && { signal }),
      ...(isTagged ? { tags: ['of-a-call'] } : {}),
    }
  }

  #judge({
    reply,
    text,
    mine,
    from,
  }: {
    reply: Response
    text: string
    mine: Pick<CacheVisitor, 'login' | 'name' | 'subject' | 'scope'>
    from: number
  }): CallOutcome {
    const to = now()
    const status = reply.headers.get('cache-status') ?? ''
    const counted = ['requests', ...counters.filter((name) => status.includes(name))]
    const done = (wrong: string) => ({
      counted,
      wrong: `${this.#method} ${this.#path} by ${mine.login ?? mine.name}, ${status}: ${wrong}`,
    })
    if (reply.status === 504 && status.includes('only-if-cached')) return { counted }
    if (!expected.has(reply.status)) return done(`status ${reply.status}`)
    if (reply.headers.has('set-cookie') && status.includes('hit')) return done('a stored cookie')
    if (this.#method === 'HEAD') return { counted }
    const said = parsed(text)
    if (!said) return done(`no reply of the API: ${text.slice(0, 100)}`)
    const { for: whose } = said
    const wrong = this.#contentWrong(said)
    if (wrong !== undefined) return done(wrong)
    if (whose.login === 'app') {
      const isApps = ['app', 'market'].includes(this.#family)
      return isApps ? { counted: [...counted, 'as the app'] } : done('a reply for the app')
    }
    if (this.#family === 'app' && this.#method === 'GET') return done('a reply for a user')
    const isOwn = whose.subject === mine.subject
    if (mayBeShared(this.#family, this.#kind) && !isOwn) {
      return { counted: [...counted, 'of another, shared'] }
    }
    if (mayBeShared(this.#family, this.#kind)) return { counted }
    return { counted, served: { whose: [whose, namedIn(reply.headers)], mine, from, to } }
  }

  /** Whether it answers something else, or not all of it came. */
  #contentWrong(said: Said): string | undefined {
    const [path, query = ''] = this.#path.split('?')
    const [at, asked] = said.at.split('?')
    if (at !== `/v1/${path}`) return `the reply to ${said.at}`
    if (this.#family !== 'market' && (asked ?? '') !== query) return `the reply to ${said.at}`
    const isRest = said.rest === restOf(kinds[this.#kind]!, said.for)
    if (!isRest) return 'another body'
    const varies = this.#kind === 'varies-by-language'
    if (varies && said.language !== this.#language) return `a reply in ${said.language}`
    return undefined
  }

  #failure(error: unknown, aborts: boolean): CallOutcome {
    const { name } = error as { name?: string }
    const counted = ['requests']
    if (aborts && name === 'AbortError') return { counted: [...counted, 'aborted'] }
    if (name === 'TimeoutError') return { counted: [...counted, 'timed out'] }
    const code = error instanceof BehalfError ? error.code : String(error)
    if (refusals.has(code)) return { counted: [...counted, code] }
    if (name === 'TypeError' && this.#kind === 'unreachable') {
      return { counted: [...counted, 'unreachable'] }
    }
    return { counted, wrong: `${this.#method} ${this.#path}: ${String(error)}` }
  }
}

/** What is kept for longer is asked for more often. */
const usualKinds = Object.entries(kinds).flatMap(([name, { headers }]) =>
  headers?.['cache-control']?.includes('=300') ? [name, name, name, name] : [name],
)
const counters = ['hit', 'collapsed', 'stored', 'stale-if-error', 'soft-timeout']
const expected = new Set([200, 404, 500])
/** Nobody is logged in; a busy machine's token store, or who refreshes the tokens, was too slow. */
const refusals = new Set([
  'login_required',
  'reauth_required',
  'store_unavailable',
  'provider_unavailable',
])

function parsed(text: string): Said | undefined {
  try {
    return JSON.parse(text) as Said
  } catch {
    return undefined
  }
}
