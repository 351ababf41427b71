import { afterAll, afterEach, beforeAll } from 'vitest'
import { createTestApi, createTestProvider } from '../../src/testing/index.ts'
import type { TestApi, TestApiOptions, TestProvider } from '../../src/testing/index.ts'

/** Every scope that a route of the test API asks for. */
export const everyScope: readonly string[] = [
  'user-read-email',
  'user-top-read',
  'user-library-read',
  'user-library-modify',
  'user-read-recently-played',
  'playlist-read-private',
]

/** A test provider and a test API behind it. */
export interface ApiWorld {
  provider: TestProvider
  api: TestApi
}

/** Both servers for the tests of a file, switched back after each. */
export function useTestApi(options: Partial<TestApiOptions> = {}): ApiWorld {
  const world = {} as ApiWorld
  beforeAll(async () => {
    world.provider = await createTestProvider()
    world.api = await createTestApi({ provider: world.provider, ...options })
  })
  afterEach(() => {
    world.provider.reset()
    world.api.reset()
  })
  afterAll(async () => {
    await world.api.close()
    await world.provider.close()
  })
  return world
}

/** How {@link callerOf} calls. */
export interface CallerOptions {
  scope?: readonly string[]
  clientId?: string
}

/** A client of the API. */
export interface Caller {
  call(path: string, init?: RequestInit): Promise<Response>
  read<T>(path: string): Promise<T>
  /** Every item of a list, page by page along `next`. */
  walk<T>(path: string): Promise<T[]>
}

/** As much of a page as clients go by. */
export interface Page<T> {
  href: string
  items: T[]
  limit: number
  next: string | null
  offset: number
  previous: string | null
  total: number
}

/** A client that calls the API as that user. */
export function callerOf(
  { provider, api }: ApiWorld,
  user: string,
  { scope = everyScope, clientId }: CallerOptions = {},
): Caller {
  const { accessToken } = provider.issueTokens({ user, scope, clientId })
  const call = (path: string, init: RequestInit = {}) => {
    const url = path.startsWith('http') ? path : `${api.baseUrl}/${path}`
    return fetch(url, { ...init, headers: { authorization: `Bearer ${accessToken}` } })
  }
  const read = async <T>(path: string) => (await (await call(path)).json()) as T
  const walk = async <T>(path: string) => {
    const items: T[] = []
    for (let next: string | null = path; next !== null;) {
      const page: Page<T> = await read(next)
      items.push(...page.items)
      next = page.next
    }
    return items
  }
  return { call, read, walk }
}
