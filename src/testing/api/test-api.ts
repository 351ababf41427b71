import { setTimeout as wait } from 'node:timers/promises'
import { accessRefusal, checkRate } from './api-access.ts'
import { accountsAt } from './api-accounts.ts'
import type { ApiAccount } from './api-accounts.ts'
import { createContent } from './api-content.ts'
import type { ApiContent } from './api-content.ts'
import { ApiError } from './api-error.ts'
import { AppRequests, checkedRateLimit } from './api-rate-limit.ts'
import type { RateLimit } from './api-rate-limit.ts'
import { answerApiRequest } from './api-routes.ts'
import { forcedReply, workingApi } from './api-switches.ts'
import type { ApiRequest, ApiSwitches } from './api-switches.ts'
import { bearerToken } from '../server/bearer.ts'
import { coverArt } from './cover-art.ts'
import { listen } from '../server/listen.ts'
import type { ListenOptions, ReceivedRequest } from '../server/listen.ts'
import type { RawReply } from '../server/raw-reply.ts'
import type { TestProvider } from '../provider/test-provider.ts'

/** Options of {@link createTestApi}. */
export interface TestApiOptions extends ListenOptions {
  /** Whose access tokens are good: a test provider, or the issuer URL of one that runs elsewhere. */
  provider: TestProvider | string
  /** The same seed gives the same music and the same libraries. Default `behalf`. */
  seed?: string | undefined
  /** What each app may send, all its users together, before it gets 429. Default no limit. */
  rateLimit?: RateLimit | undefined
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
 * Starts an upstream API on this machine: a catalogue of a few thousand made-up tracks with their
 * albums, artists and playlists, search, and a library of each user of the test provider, with
 * Spotify's paging, status codes, error bodies and headers. What the account's country has no
 * rights for is `is_playable: false`; search and the albums of an artist leave it out.
 *
 * Throws a `RangeError` for a `rateLimit` that is none.
 */
export async function createTestApi(options: TestApiOptions): Promise<TestApi> {
  const { provider, seed = 'behalf' } = options
  const rateLimit = options.rateLimit && checkedRateLimit(options.rateLimit)
  const server = await listen(options)
  const { origin } = server
  const users = typeof provider === 'string' ? [] : provider.users
  const content = createContent(origin, users, seed)
  const switches = workingApi(rateLimit)
  const sent = new AppRequests()
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
    const reply =
      forcedReply(switches, seen) ??
      (await usualReply(content, request, { account, sent, rateLimit: switches.rateLimit }))
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
      Object.assign(switches, workingApi(rateLimit))
      sent.reset()
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

async function usualReply(
  content: ApiContent,
  request: ReceivedRequest,
  { account, sent, rateLimit }: Caller,
): Promise<RawReply> {
  try {
    if (!account) throw accessRefusal(request.headers.authorization)
    if (rateLimit) await checkRate(sent, rateLimit, account)
    return answerApiRequest(content, request, account)
  } catch (error) {
    if (error instanceof ApiError) return error.reply()
    throw error
  }
}

/** Who calls, and what the app has sent so far. */
interface Caller {
  readonly account: ApiAccount | undefined
  readonly sent: AppRequests
  readonly rateLimit: RateLimit | undefined
}

function image({ catalogue }: ApiContent, { url }: ReceivedRequest): RawReply {
  const id = /^\/images\/(\w+)\.svg$/.exec(url.pathname)?.[1]
  const art = coverArt(catalogue, id ?? '')
  if (!art) return { status: 404, body: 'Not found' }
  const headers = { 'content-type': 'image/svg+xml', 'cache-control': 'public, max-age=86400' }
  return { headers, body: art.text }
}
