import { oauth2 } from '../../src/oauth/providers/index.ts'
import { createTestProvider } from '../../src/testing/index.ts'
import { bearerToken } from '../../src/testing/server/bearer.ts'
import { listen, type ReceivedRequest } from '../../src/testing/server/listen.ts'
import { jsonReply, type RawReply } from '../../src/testing/server/raw-reply.ts'
import { leadingTo, type OutsideWorld } from './outside-world.ts'

const origin = 'https://api.github.com'
const documentation = 'https://docs.github.com/rest'
const firstRepositories = 25

/**
 * A world in which `https://api.github.com` is an API in GitHub's manner: pages by the `Link`
 * header, errors as `{ message, documentation_url }`, 401 without a challenge.
 */
export async function createCodeHost(): Promise<OutsideWorld> {
  const provider = await createTestProvider()
  const server = await listen()
  const paths: string[] = []
  const repositories = new Repositories()
  let hangs = false
  server.serve((request) => {
    paths.push(request.url.pathname)
    if (hangs) return { delivery: 'never' }
    const user = provider.accountOf(bearerToken(request.headers.authorization) ?? '')?.userId
    return user === undefined
      ? problem(401, 'Bad credentials')
      : answer(repositories, request, user)
  })
  return {
    provider,
    definition: oauth2({
      ...provider.overrides,
      scope: ['repo'],
      apiBaseUrl: origin,
      userInfo: 'user',
      profile: ({ login }) => ({ subject: String(login) }),
      rules: { '/user': 60 },
      paging: 'link',
      fetch: leadingTo(server.origin, origin),
    }),
    requestsTo: (path) => paths.filter((seen) => seen === path).length,
    hang: () => {
      hangs = true
    },
    reset: () => {
      hangs = false
      paths.length = 0
    },
    close: async () => {
      await server.close()
      await provider.close()
    },
  }
}

/** Each user's repositories by name, newest last. */
class Repositories {
  readonly #names = new Map<string, string[]>()

  of(user: string): string[] {
    const names =
      this.#names.get(user) ?? Array.from({ length: firstRepositories }, (_, n) => `${user}-${n}`)
    this.#names.set(user, names)
    return names
  }
}

function answer(
  repositories: Repositories,
  { method, url, body }: ReceivedRequest,
  user: string,
): RawReply {
  const names = repositories.of(user)
  switch (`${method} ${url.pathname}`) {
    case 'GET /user':
      return jsonReply({ login: user }, 200, { 'cache-control': 'private, max-age=60' })
    case 'GET /user/repos':
      return pageOf(names, url)
    case 'POST /user/repos': {
      const { name } = JSON.parse(body) as { name: string }
      names.push(name)
      return jsonReply({ name }, 201)
    }
    default:
      return problem(404, 'Not Found')
  }
}

function pageOf(names: readonly string[], url: URL): RawReply {
  const perPage = Number(url.searchParams.get('per_page') ?? 30)
  const page = Number(url.searchParams.get('page') ?? 1)
  const last = Math.ceil(names.length / perPage)
  const linkTo = (number: number, relation: string) =>
    `<${origin}${url.pathname}?per_page=${perPage}&page=${number}>; rel="${relation}"`
  const links =
    page < last ? [linkTo(page + 1, 'next'), linkTo(last, 'last')] : [linkTo(1, 'first')]
  const items = names.slice((page - 1) * perPage, page * perPage).map((name) => ({ name }))
  return jsonReply(items, 200, { link: links.join(', ') })
}

function problem(status: number, message: string): RawReply {
  return jsonReply({ message, documentation_url: documentation }, status)
}
