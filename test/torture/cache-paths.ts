import type { CacheRules } from '../../src/cache/rules/rules.ts'

/** How an API answers at a path; `fails` is the part of the calls that go wrong in this way. */
export interface Kind {
  headers?: Readonly<Record<string, string>>
  /** It has an ETag, the same for everybody, and answers 304 to it whoever asks. */
  tagged?: boolean
  /** Milliseconds, now and then. */
  delay?: number
  fails?: { part: number; as: 404 | 500 | 'network' | 'short' }
  /** Bytes of its body, beside what it says. */
  bytes?: number
}

const control = (value: string, more: Kind = {}): Kind => ({
  ...more,
  headers: { 'cache-control': value, ...more.headers },
})

/** What APIs answer; whoever mixes up two users does so with one of them. */
export const kinds: Readonly<Record<string, Kind>> = {
  plain: {},
  fresh: control('max-age=300'),
  private: control('private, max-age=300'),
  revalidated: control('max-age=1, must-revalidate', { tagged: true }),
  public: control('public, max-age=300'),
  everybodys: control('s-maxage=4, max-age=300'),
  'varies-by-user': control('public, max-age=300', { headers: { vary: 'Authorization' } }),
  'varies-by-cookie': control('public, max-age=300', { headers: { vary: 'Cookie' } }),
  'varies-by-language': control('public, max-age=300', { headers: { vary: 'Accept-Language' } }),
  'varies-by-all': control('public, max-age=300', { headers: { vary: '*' } }),
  contradicts: control('private="", public, max-age=300'),
  tagged: control('max-age=0', { tagged: true }),
  'tagged-public': control('public, max-age=1', { tagged: true }),
  'no-store': control('no-store'),
  'no-cache': control('no-cache', { tagged: true }),
  stale: control('max-age=1, stale-while-revalidate=5'),
  'stale-public': control('public, max-age=1, stale-while-revalidate=5', { tagged: true }),
  faulty: control('max-age=1, stale-if-error=30', { fails: { part: 0.5, as: 500 } }),
  missing: control('max-age=300', { fails: { part: 0.5, as: 404 } }),
  unreachable: control('max-age=1, stale-if-error=30', { fails: { part: 0.3, as: 'network' } }),
  short: control('max-age=300', { fails: { part: 0.5, as: 'short' } }),
  slow: control('max-age=1, stale-while-revalidate=2', { delay: 1_500 }),
  'slow-public': control('public, max-age=1', { delay: 1_500, tagged: true }),
  large: control('max-age=300', { bytes: 40_000 }),
  cookie: control('public, max-age=300', { headers: { 'set-cookie': 'sid=of-one-user' } }),
}

/** Beginnings of paths, each with a rule of its own below. */
export const families = ['ruled', 'said', 'shared', 'said-shared', 'app', 'market'] as const

/** Which replies may go to whom is decided by these, beside the replies themselves. */
export const rules: CacheRules = [
  { match: '/v1/ruled/*', ttl: 300, tags: ['ruled'], negative: { 404: 2 } },
  { match: '/v1/said/*', tags: ['said'] },
  { match: '/v1/shared/*', ttl: 300, shared: true, tags: ['shared'] },
  { match: '/v1/said-shared/*', shared: true },
  { match: '/v1/app/*', ttl: 300, as: 'app' },
  { match: '/v1/market/*', ttl: 300, as: 'app', fromProfile: { market: 'country' } },
  { match: '/v1/*', method: 'PATCH', invalidates: ['ruled', 'shared'] },
  { match: '/v1/said/*', method: 'DELETE', invalidates: ['said'], soft: true },
]

/** Does the rule let users share, and the reply, too (RFC 9111 section 3.5)? */
export function mayBeShared(family: string, kind: string): boolean {
  return family.includes('shared') && permitting.has(kind)
}

const permitting = new Set([
  'revalidated',
  'public',
  'everybodys',
  'varies-by-language',
  'tagged-public',
  'stale-public',
  'slow-public',
  'cookie',
])
