import { openAsBrowser } from './as-browser.ts'
import { type Finding, findingsAbout } from './finding.ts'

const { ok, note, change } = findingsAbout('app')

/** What a browser gets of the running app: does what is in between pass host, scheme and cookies on? */
export async function checkRunningApp(
  origin: string,
  basePath: string,
  provider: string | undefined,
): Promise<Finding[]> {
  const session = await openAsBrowser(`${origin}${basePath}/session`)
  if (!session) return [note(`${origin} does not answer: start the app to have this looked at`)]
  if (session.status !== 200) {
    return [change(`${basePath}/session answers ${session.status}: is --base-path right?`)]
  }
  const names = providersIn(session.body)
  const isPrivate = /\bno-store\b/.test(session.header('cache-control') ?? '')
  const name = provider ?? names[0]
  return [
    isPrivate
      ? ok(`answers at ${basePath}`)
      : change('Cache-Control: no-store has been taken away'),
    ...(name !== undefined && names.includes(name)
      ? await checkLogin(origin, basePath, name)
      : [change(`has no provider ${name ?? 'at all'}; it has: ${names.join(', ') || 'none'}`)]),
  ]
}

async function checkLogin(origin: string, basePath: string, name: string): Promise<Finding[]> {
  const proxy = findingsAbout('proxy')
  const reply = await openAsBrowser(`${origin}${basePath}/${name}/login`)
  const location = reply?.header('location') ?? ''
  if (reply?.status !== 303) return [change(`a login at ${name} answers ${reply?.status}`)]
  if (location.includes('moved=')) {
    return [
      proxy.change(
        'The app sees another host than the browser: let the proxy pass the Host header on, or set Express’s trust proxy.',
      ),
    ]
  }
  if (new URL(location, origin).origin === origin) {
    return [
      note('a login leads to your own sign-in first (signInUrl): who is signed in would see more'),
    ]
  }
  const cookies = reply.cookies.filter((one) => one.includes('.t.'))
  if (cookies.length === 0) return [proxy.change('The login’s Set-Cookie has been taken away.')]
  const wanted = origin.startsWith('https:') ? /^__Host-.*; Secure/i : /HttpOnly/i
  if (!cookies.every((one) => wanted.test(one))) {
    return [proxy.change('The login’s cookie is not the one of this base URL: see option baseUrl.')]
  }
  return [
    proxy.ok('host, scheme and cookies arrive as the app expects them'),
    ...back(origin, location),
  ]
}

/** Pushed requests do not show it. */
function back(origin: string, location: string): Finding[] {
  const uri = new URL(location, origin).searchParams.get('redirect_uri')
  if (uri === null) return []
  return new URL(uri).origin === origin
    ? [ok(`register ${uri} at the provider`)]
    : [change(`comes back at ${uri}, which is not of ${origin}`)]
}

function providersIn(body: string): string[] {
  try {
    const { providers } = JSON.parse(body) as { providers?: unknown }
    return typeof providers === 'object' && providers !== null ? Object.keys(providers) : []
  } catch {
    return []
  }
}
