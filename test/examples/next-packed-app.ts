/** The files of a Next.js app in JavaScript that has installed the package. */
export const packedApp: Readonly<Record<string, string>> = {
  'package.json': '{ "private": true, "type": "module" }',
  'app/layout.jsx': 'export default ({ children }) => <html><body>{children}</body></html>',
  'app/store/route.js': `
import { backends, cacheManager, createStore } from 'behalf/stores'
export async function GET(request) {
  const cache = cacheManager(createStore(new URL(request.url).searchParams.get('store')))
  try {
    await cache.set('key', 'kept')
    return Response.json({ backends: Object.keys(backends), found: await cache.get('key') })
  } catch ({ code, message }) {
    return Response.json({ code, message })
  }
}`,
  'lib/behalf.js': `
import { behalf } from 'behalf/next'
import { spotify } from 'behalf/providers'
const provider = JSON.parse(process.env.DEMO_PROVIDER || '{}')
export const { handlers, withApi } = behalf({
  providers: { spotify: spotify({ scope: ['user-read-email'], ...provider }) },
})`,
  'app/auth/[...behalf]/route.js': `
import { handlers } from '../../../lib/behalf.js'
export const { GET, POST } = handlers`,
  // The most that Next.js can be told to keep of what fetch() brings.
  'app/me/route.js': `
import { withApi } from '../../lib/behalf.js'
export const fetchCache = 'force-cache'
export const GET = withApi(async (request, { api }) => Response.json(await api.spotify.get('me')))`,
}

/** What an app has that knows its users by Auth.js, and speaks two languages by next-intl. */
export const appWithUsers: Readonly<Record<string, string>> = {
  'auth.js': `
import NextAuth from 'next-auth'
import Credentials from 'next-auth/providers/credentials'
const byName = Credentials({
  credentials: { name: {} },
  authorize: ({ name }) => ({ id: 'user-' + name, name }),
})
export const { handlers, auth } = NextAuth({
  secret: 'a-secret-of-the-tests-for-auth-js-0123456789',
  providers: [byName],
  callbacks: {
    session: ({ session, token }) => ({ ...session, user: { ...session.user, id: token.sub } }),
  },
})`,
  'app/api/auth/[...nextauth]/route.js': `
import { handlers } from '../../../../auth.js'
export const { GET, POST } = handlers`,
  'lib/connect.js': `
import { auth as session } from '../auth.js'
import { behalf } from 'behalf/next'
import { spotify } from 'behalf/providers'
const provider = JSON.parse(process.env.DEMO_PROVIDER || '{}')
export const { handlers, withApi, context, proxy, forUser } = behalf({
  basePath: '/connect',
  providers: { spotify: spotify({ scope: ['user-read-email'], ...provider }) },
  user: async () => (await session())?.user?.id,
  signInUrl: '/sign-in',
})`,
  'app/connect/[...behalf]/route.js': `
import { handlers } from '../../../lib/connect.js'
export const { GET, POST } = handlers`,
  'app/job/route.js': `
import { forUser } from '../../lib/connect.js'
export async function GET(request) {
  const { api } = await forUser(new URL(request.url).searchParams.get('user'))
  return Response.json(await api.spotify.get('me').catch(({ code }) => ({ code })))
}`,
  'app/mine/route.js': `
import { withApi } from '../../lib/connect.js'
export const GET = withApi(
  async (request, { api }) => Response.json(await api.spotify.get('me')),
  { login: 'spotify' },
)`,
  'app/[locale]/page.jsx': 'export default () => <p>Home</p>',
  'app/[locale]/profile/page.jsx': `
import { headers } from 'next/headers'
import { context } from '../../../lib/connect.js'
export default async function Profile() {
  const { api } = await context({ login: 'spotify' })
  const { id } = await api.spotify.get('me')
  return <p>{id + ' in ' + (await headers()).get('x-next-intl-locale')}</p>
}`,
  'proxy.js': `
import createMiddleware from 'next-intl/middleware'
import { defineRouting } from 'next-intl/routing'
import { proxy as withBehalf } from './lib/connect.js'
const routing = defineRouting({ locales: ['en', 'de'], defaultLocale: 'en' })
export const proxy = withBehalf.with(createMiddleware(routing))
export const config = { matcher: ['/((?!_next|api|auth|connect|job|me$|mine|store|sign-in).*)'] }`,
}
