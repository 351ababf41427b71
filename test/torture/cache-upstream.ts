import { setTimeout as sleep } from 'node:timers/promises'
import { oauth2 } from '../../src/oauth/providers/index.ts'
import type { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { type Credentials, credentialsIn, ofTheApp, secretOf } from './cache-credentials.ts'
import { type Kind, kinds } from './cache-paths.ts'

/** What the API says in each reply: for whom it was made, and as an answer to what. */
export interface Said {
  for: Credentials
  /** Path and query. */
  at: string
  language: string
  /** As many letters as the kind has bytes; another one for each user. */
  rest: string
}

const id = 'https://id.example'
const api = 'https://api.example'

/** The provider of {@link CacheUpstream}. */
export function upstreamProvider(upstream: CacheUpstream) {
  return oauth2({
    clientId: 'client',
    clientSecret: 'client-secret',
    authorizationEndpoint: `${id}/authorize`,
    tokenEndpoint: `${id}/token`,
    revocationEndpoint: `${id}/revoke`,
    userInfo: `${api}/profile`,
    profile: ({ id: subject, country }) => ({
      subject: String(subject),
      country: String(country),
    }),
    apiBaseUrl: `${api}/v1/`,
    scope: 'read write',
    fetch: upstream.fetch,
  })
}

/** A provider and an API that know nothing but what the token says; without a network. */
export class CacheUpstream {
  readonly #random: SeededRandom
  /** Calls of the API. */
  calls = 0
  refreshes = 0

  constructor(random: SeededRandom) {
    this.#random = random
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = input instanceof Request && !init ? input : new Request(input, init)
    const { origin, pathname } = new URL(request.url)
    if (origin === id) return pathname === '/token' ? this.#tokens(request) : new Response()
    const whose = credentialsIn('access', request.headers.get('authorization')!.split(' ')[1]!)
    const country = ['DE', 'SE', 'US'][whose.subject.length % 3]
    if (pathname === '/profile') return Response.json({ id: whose.subject, country })
    this.calls += 1
    return this.#answer(request, whose)
  }

  async #tokens(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text())
    const granted = form.get('grant_type')
    const whose =
      granted === 'client_credentials'
        ? ofTheApp
        : granted === 'refresh_token'
          ? credentialsIn('refresh', form.get('refresh_token')!)
          : credentialsIn('code', form.get('code')!)
    if (granted === 'refresh_token') this.refreshes += 1
    return Response.json({
      access_token: secretOf('access', whose),
      refresh_token: whose === ofTheApp ? undefined : secretOf('refresh', whose),
      token_type: 'bearer',
      expires_in: this.#random.between(5, 60),
      scope: whose.scope,
    })
  }

  async #answer(request: Request, whose: Credentials): Promise<Response> {
    const { pathname, search } = new URL(request.url)
    const kind = kinds[pathname.split('/')[3] ?? ''] ?? {}
    if (kind.delay && this.#random.next() < 0.1) await within(kind.delay, request.signal)
    const failure = kind.fails && this.#random.next() < kind.fails.part ? kind.fails.as : undefined
    if (failure === 'network') throw new TypeError('fetch failed')
    const headers = {
      'content-type': 'application/json',
      'x-for': namesOf(whose),
      ...(kind.tagged ? { etag: '"1"' } : {}),
      ...kind.headers,
    }
    const isReading = request.method === 'GET' || request.method === 'HEAD'
    if (isReading && kind.tagged && request.headers.get('if-none-match') === '"1"') {
      return new Response(null, { status: 304, headers })
    }
    const language = request.headers.get('accept-language') ?? ''
    const said = { for: whose, at: `${pathname}${search}`, language, rest: restOf(kind, whose) }
    const text = JSON.stringify(said satisfies Said)
    if (failure === 'short') {
      return new Response(text, {
        headers: { ...headers, 'content-length': String(text.length + 1_000) },
      })
    }
    const body = request.method === 'HEAD' ? null : text
    return new Response(body, { status: isReading ? (failure ?? 200) : 200, headers })
  }
}

/** As a header field says whom it was made for. */
function namesOf({ subject, scope, login }: Credentials): string {
  return [subject, scope, login].join(', ')
}

/** Whom a reply's header fields were made for: after a 304 they may be newer than its body. */
export function namedIn(headers: Headers): Credentials {
  const [subject = '', scope = '', login = ''] = (headers.get('x-for') ?? '').split(', ')
  return { subject, scope, login }
}

/** What a reply of that kind to that user ends with. */
export function restOf({ bytes = 200 }: Kind, { login }: Credentials): string {
  return login.repeat(Math.ceil(bytes / login.length)).slice(0, bytes)
}

async function within(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted())
}
