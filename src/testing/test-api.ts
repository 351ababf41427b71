import { setTimeout as wait } from 'node:timers/promises'
import { albumArt } from './album-art.ts'
import { accountsAt } from './api-accounts.ts'
import type { ApiAccount } from './api-accounts.ts'
import { ApiError } from './api-error.ts'
import { answerApiRequest } from './api-routes.ts'
import type { ApiContent } from './api-routes.ts'
import { workingApi } from './api-switches.ts'
import type { ApiRequest, ApiSwitches } from './api-switches.ts'
import { bearerToken } from './bearer.ts'
import { createCatalogue } from './catalogue.ts'
import { Library } from './library.ts'
import { listen } from './listen.ts'
import type { ListenOptions, ReceivedRequest } from './listen.ts'
import type { RawReply } from './raw-reply.ts'
import type { TestProvider } from './test-provider.ts'

/** Options of {@link createTestApi}. */
export interface TestApiOptions extends ListenOptions {
  /** Whose access tokens are good: a test provider, or the issuer URL of one that runs elsewhere. */
  provider: TestProvider | string
  /** The same seed gives the same music and the same libraries. Default `behalf`. */
  seed?: string | undefined
}

/** An upstream API shaped like Spotify's Web API, run by this process. */
export interface TestApi {
  /** Such as `http://127.0.0.1:40124`. */
  readonly origin: string
  /** What paths are resolved against: `<origin>/v1`. */
  readonly baseUrl: string
  /** What goes wrong; set its properties at any time. */
  readonly switches: ApiSwitches
  /** Every request below `/v1`, in order of arrival, refused ones included. */
  readonly requests: readonly ApiRequest[]
  /** How many requests a path got: `/v1/me`, or `me` in short. */
  requestsTo(path: string): number
  /** Forgets the requests, sets the switches to their defaults and the libraries to their start. */
  reset(): void
  /** Stops it, connections that hang included. */
  close(): Promise<void>
}

/**
 * Starts an upstream API on this machine: profile, top tracks and saved tracks of each user of the
 * test provider, and a catalogue of made-up music, with Spotify's status codes and error bodies.
 */
export async function createTestApi(options: TestApiOptions): Promise<TestApi> {
  const { provider, seed = 'behalf' } = options
  const server = await listen(options)
  const { origin } = server
  const catalogue = createCatalogue(seed)
  const content = { origin, catalogue, library: new Library(catalogue, seed) }
  const switches = workingApi()
  const requests: ApiRequest[] = []
  const findAccount = accountsAt(provider)

  server.serve(async (request) => {
    if (!request.url.pathname.startsWith('/v1/')) return image(content, request)
    const at = Date.now()
    const token = bearerToken(request.headers.authorization)
    const account = token === undefined ? undefined : await findAccount(token)
    const seen = seenRequest(request, account, at)
    requests.push(seen)
    if (switches.delay > 0) await wait(switches.delay * 1000, undefined, { ref: false })
    const reply = forcedReply(switches, seen) ?? usualReply(content, request, account)
    const delivery = reply.delivery ?? deliveries[switches.behaviour]
    return { ...reply, delivery, note: seen.userId }
  })

  return {
    origin,
    baseUrl: `${origin}/v1`,
    switches,
    requests,
    requestsTo: (path) => {
      const whole = path.startsWith('/') ? path : `/v1/${path}`
      return requests.filter((request) => request.path === whole).length
    },
    reset: () => {
      requests.length = 0
      Object.assign(switches, workingApi())
      content.library.reset()
    },
    close: () => server.close(),
  }
}

const deliveries = {
  works: 'whole',
  hangs: 'never',
  truncates: 'truncated',
  'resets-mid-body': 'reset-mid-body',
} as const

function seenRequest(
  { method, url }: ReceivedRequest,
  account: ApiAccount | undefined,
  at: number,
): ApiRequest {
  const query = Object.fromEntries(url.searchParams)
  return { method, path: url.pathname, query, userId: account?.user.id, at }
}

function forcedReply(switches: ApiSwitches, seen: ApiRequest): RawReply | undefined {
  const { reply, status, retryAfter } = switches
  if (status === undefined) return reply?.(seen)
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  return new ApiError(
    status,
    status === 429 ? 'API rate limit exceeded' : 'Forced',
    headers,
  ).reply()
}

function usualReply(
  content: ApiContent,
  request: ReceivedRequest,
  account: ApiAccount | undefined,
): RawReply {
  try {
    if (account) return answerApiRequest(content, request, account)
    const { authorization } = request.headers
    throw authorization === undefined
      ? unauthorized('No token provided', 'Bearer realm="spotify"')
      : unauthorized('The access token expired', 'Bearer realm="spotify", error="invalid_token"')
  } catch (error) {
    if (error instanceof ApiError) return error.reply()
    throw error
  }
}

function unauthorized(message: string, challenge: string): ApiError {
  return new ApiError(401, message, { 'www-authenticate': challenge })
}

function image({ catalogue }: ApiContent, { url }: ReceivedRequest): RawReply {
  const id = /^\/images\/(\w+)\.svg$/.exec(url.pathname)?.[1]
  const album = catalogue.albums.get(id ?? '')
  if (!album) return { status: 404, body: 'Not found' }
  const headers = { 'content-type': 'image/svg+xml', 'cache-control': 'public, max-age=86400' }
  return { headers, body: albumArt(album).text }
}
