// Compiled by `npm run check` and never run: each line marked as an error must be one.
import type { NextRequest } from 'next/server.js'
import { createBehalf } from 'behalf'
import { behalf, responseCache } from 'behalf/next'
import { oauth2, oidc, spotify } from 'behalf/providers'
import { createStore } from 'behalf/stores'

/** What `next typegen` makes of the folders of an app. */
interface RouteContext<Path extends '/api/artist/[id]'> {
  params: Promise<Path extends '/api/artist/[id]' ? { id: string } : never>
}
type NextRoute = (
  request: NextRequest,
  route: RouteContext<'/api/artist/[id]'>,
) => Promise<Response>

const { handlers, withApi, context, proxy, forUser, forApp } = behalf({
  baseUrl: process.env['APP_URL'],
  secret: process.env['BEHALF_SECRET'],
  store: createStore('memory:'),
  providers: {
    spotify: spotify({ clientId: process.env['SPOTIFY_CLIENT_ID'], scope: ['user-top-read'] }),
    crm: oauth2({ authorizationEndpoint: 'https://a.example', tokenEndpoint: 'https://t.example' }),
  },
  cache: responseCache({ rules: { '/v1/*': 60 } }),
  user: async (request) => request.headers.get('x-user') ?? undefined,
})

export const GET: NextRoute = withApi(
  async (request, { api, tokens }, { params }: RouteContext<'/api/artist/[id]'>) => {
    const { id } = await params
    const text: string = id
    const from: string | null = request.nextUrl.searchParams.get('from')
    const artist = await api.spotify.get<{ name: string }>(`artists/${text}`)
    const token: string = await tokens.crm.getAccessToken()
    // @ts-expect-error -- there is no such param
    const { nope } = await params
    // @ts-expect-error -- there is no provider of that name
    await api.nope.get('me')
    // @ts-expect-error -- there is no provider of that name
    await tokens.nope.grant()
    // @ts-expect-error -- a reply without a type is unknown
    const length = (await api.crm.get('x')).length
    return Response.json({ name: artist.name, token, from, nope, length })
  },
  { login: 'spotify', scope: 'user-top-read' },
)

export const POST: NextRoute = withApi(() => new Response('done'))
export const routes: { GET: (request: NextRequest) => Promise<Response> } = handlers
export const asked: Promise<Response> = handlers.POST(new Request('https://app.example.com'))

// @ts-expect-error -- there is no provider of that name
withApi(() => new Response(), { login: 'nope' })

export async function page(): Promise<void> {
  const { api } = await context({ login: 'crm', returnTo: '/' })
  await api.spotify.get('me')
  // @ts-expect-error -- there is no provider of that name
  await context({ login: 'nope' })
  // @ts-expect-error -- there is no provider of that name
  await api.nope.get('me')
  const app = await forApp('crm')
  await app.api.crm.get('x')
  // @ts-expect-error -- it has that provider only
  await app.api.spotify.get('me')
  await (await forUser('user-42')).api.crm.get('x')
}

export const around = proxy.with((request) => Response.redirect(new URL('/en', request.url), 307))

const core = createBehalf({ providers: { crm: oidc({ issuer: 'https://a.example' }) } })
export const same = behalf(core)
// @ts-expect-error -- there is no provider of that name
void same.forApp('spotify')
