import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import * as behalf from 'behalf'
import * as providers from 'behalf/providers'
import * as testing from 'behalf/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeIn, Page, project } from './page.ts'
import { SnippetFolder } from './snippet-folder.ts'

const docs = readdirSync(join(project, 'docs')).map((name) => `docs/${name}`)
const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...docs]
const source = (path: string) => readFileSync(join(project, path), 'utf8')

let folder: SnippetFolder
beforeAll(() => {
  folder = new SnippetFolder()
})
afterAll(() => folder.remove())

/** Links that lead nowhere: to a file that is not there, or to a heading that its page has not. */
function brokenLinks(path: string): string[] {
  const here = new Page(path)
  return here.links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [file, anchor] = link.split('#')
    const target = file ? normalize(join(dirname(path), file)) : path
    if (!existsSync(join(project, target))) return true
    return anchor !== undefined && !new Page(target).anchors.includes(anchor)
  })
}

describe('links', () => {
  test.each(pages)('of %s lead somewhere', (path) => {
    expect(new Page(path).links.length).toBeGreaterThan(0)
    expect(brokenLinks(path)).toEqual([])
  })

  test('of the index lead to every page', () => {
    const missing = docs.filter((path) => path !== 'docs/README.md').map((path) => path.slice(5))
    expect(new Page('docs/README.md').links).toEqual(expect.arrayContaining(missing))
  })
})

describe('snippets', () => {
  test.each([
    'providers',
    'sessions',
    'tokens',
    'testing',
    'errors',
    'troubleshooting',
    'from-spotipy',
  ])('of docs/%s.md compile', async (name) => {
    const { snippets } = new Page(`docs/${name}.md`)
    expect(snippets.length).toBeGreaterThan(0)
    expect(await folder.complaints(snippets)).toBe('')
  })
})

test.each([
  ['docs/next.md', 13],
  ['README.md', 6],
])(
  'snippets of %s for Next.js compile, each as the file that it says it is',
  async (page, count) => {
    const { text } = new Page(page)
    const files: Record<string, string> = {
      'next/globals.d.ts': `
interface RouteContext<Path extends string> { params: Promise<{ id: string }>; path: Path }
declare const providers: { spotify: import('behalf/providers').ProviderDefinition }
declare module 'next-intl/middleware' {
  export default function create(routing: object): (request: Request) => Response
}`,
      'next/other/auth.ts': 'export const auth = async () => ({ user: { id: "42" } })',
      'next/other/i18n/routing.ts': 'export const routing = {}',
    }
    for (const [, code = ''] of text.matchAll(/^```tsx?\n(.*?)^```$/gms)) {
      const [, path] = /^\/\/ (\S+)\n/.exec(code) ?? []
      // The README's others are of Express.
      if (page === 'README.md' && !path) continue
      expect(path, code).toBeDefined()
      // What stands there a second time is of another app.
      files[`next/${path}` in files ? `next/other/${path}` : `next/${path}`] = code
    }
    expect(Object.keys(files)).toHaveLength(count)
    const options = {
      module: 'esnext',
      moduleResolution: 'bundler',
      jsx: 'react-jsx',
      lib: ['es2023', 'dom'],
    }
    expect(await folder.check(files, options)).toBe('')
  },
)

describe('docs/from-spotipy.md', () => {
  const ours = new Page('docs/from-spotipy.md').rows.flatMap(([, cell = '']) => codeIn(cell))
  const isVariable = (code: string) => /^[A-Z_]+$/.test(code)
  const isRoute = (code: string) => /^(GET|POST) \//.test(code)
  const isOption = (code: string) => /^\w+: /.test(code)
  const isCommand = (code: string) => code.startsWith('npx ')
  const isError = (code: string) => /^\w+Error$/.test(code)
  // Parts of sentences: a header, a command, the shape of a URL, an option by its name.
  const prose = [
    'Retry-After',
    'npx behalf secret',
    '<baseUrl>/auth/spotify/callback',
    'providers',
    'tokenStore',
  ]

  test('names calls and options that compile', async () => {
    const rest = ours.filter(
      (code) => ![isVariable, isRoute, isError, isCommand].some((is) => is(code)),
    )
    const code = rest
      .filter((text) => !prose.includes(text))
      .map((text) => (isOption(text) ? `options({ ${text} })` : `void (${text})`))
    expect(code.length).toBeGreaterThan(30)
    const declared = `
import type { ExpressOptions } from 'behalf/express'
import { normalizeScope, type SpotifyOptions, spotifyScopes } from 'behalf/providers'
declare const options: (
  given: Partial<ExpressOptions<{ spotify: ReturnType<typeof spotify> }>> | SpotifyOptions,
) => void
`
    expect(await folder.complaints([`${declared}${code.join('\n;')}`])).toBe('')
  })

  test('names environment variables that are read', () => {
    const { environment } = spotifyPreset()
    const read = ['BASE_URL', 'SECRET', 'STORE'].map((name) => `BEHALF_${name}`)
    const files = ['configuration', 'secret'].map((name) => source(`src/middleware/${name}.ts`))
    for (const name of read) expect(files.join('')).toContain(`process.env['${name}']`)
    expect(source('src/cli/login.ts')).toContain('_REDIRECT_URI`')
    const ofClient = ['CLIENT_ID', 'CLIENT_SECRET', 'REDIRECT_URI']
    const known = [...read, ...ofClient.map((name) => `${environment}_${name}`)]
    expect(known).toEqual(expect.arrayContaining(ours.filter((code) => isVariable(code))))
    expect(ours.filter((code) => isVariable(code)).length).toBe(known.length)
  })

  test('names routes that are answered', async () => {
    const { spotify } = providers
    const options = { clientId: 'an-app', scope: [] }
    const origin = 'http://127.0.0.1:3000'
    const app = behalf.createBehalf({
      baseUrl: origin,
      secret: 'a-secret-of-32-bytes-or-more-for-tests',
      store: 'memory:',
      providers: { spotify: spotify(options) },
    })
    const routes = ours.filter((code) => isRoute(code))
    expect(routes.length).toBeGreaterThan(1)
    for (const route of routes) {
      const [method = '', path = ''] = route.split(' ')
      const reply = await app.handle(new Request(origin + path, { method }))
      expect(reply?.status).toBeGreaterThan(0)
      expect(reply?.status).not.toBe(405)
    }
    await app.close()
  })

  test('names errors that are exported', () => {
    const errors = ours.filter((code) => isError(code))
    expect(errors.length).toBeGreaterThan(5)
    expect(Object.keys(behalf)).toEqual(expect.arrayContaining(errors))
  })
})

/** The prefix that Spotify's preset reads its client by. */
function spotifyPreset(): { environment: string } {
  const [, environment = ''] =
    /environment: '(\w+)'/.exec(source('src/oauth/providers/spotify.ts')) ?? []
  return { environment }
}

describe('docs/errors.md', () => {
  const text = source('src/errors.ts')
  const [, union = ''] = /type ErrorCode =\n(.*?)\n\n/s.exec(text) ?? []
  const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code!)
  const rows = new Page('docs/errors.md').rows.filter((row) => row.length === 5)

  test('has every code once, and no other', () => {
    expect(codes.length).toBeGreaterThan(20)
    expect(rows.map(([code]) => codeIn(code!)[0]).toSorted()).toEqual(codes.toSorted())
  })

  test.each(rows)('says the class and the status of %s: %s, %s', (code, name, status) => {
    const [className = ''] = codeIn(name!)
    expect(Object.keys(behalf)).toContain(className)
    const start = text.indexOf(`class ${className} `)
    const body = text.slice(start, text.indexOf('\n}\n', start))
    if (className !== 'StateError') expect(body).toContain(`code = '${codeIn(code!)[0]}'`)
    const [, own = '500'] = /status = (\d+)/.exec(body) ?? []
    if (/^\d+$/.test(status!)) expect(status).toBe(own)
    else expect(body).toContain('readonly status: number')
  })
})

test('docs/tokens.md has every reason of a new login, and every event of a refresh', () => {
  const rows = new Page('docs/tokens.md').rows.map(([cell = '']) => codeIn(cell))
  const told = rows.flat()
  const [, union = ''] = /type ReauthReason = (.*)\n/.exec(source('src/errors.ts')) ?? []
  const reasons = [...union.matchAll(/'([\w-]+)'/g)].map(([, reason]) => reason!)
  expect(reasons.length).toBeGreaterThan(3)
  expect(told).toEqual(expect.arrayContaining(reasons))
  const events = [...source('src/events.ts').matchAll(/^ {2}(\w+): \{/gm)].map(([, name]) => name!)
  const others = ['login', 'login_failed', 'logout', 'throttled', 'upstream']
  expect(events).toEqual(expect.arrayContaining(others))
  const { text } = new Page('docs/errors.md')
  for (const name of others) expect(text).toContain(`\`${name}\``)
  const ofRefreshes = events.filter((name) => !others.includes(name))
  expect(told).toEqual(expect.arrayContaining(ofRefreshes))
})

test('docs/troubleshooting.md has every reason of a lost login, and no other', () => {
  const [, union = ''] = /type StateErrorReason =\n(.*?)\n\n/s.exec(source('src/errors.ts')) ?? []
  const reasons = [...union.matchAll(/'([\w-]+)'/g)].map(([, reason]) => reason!)
  const told = new Page('docs/troubleshooting.md').rows
    .filter(([code = '', reason = '']) => code.startsWith('`state_') && reason.startsWith('`'))
    .map(([, reason]) => codeIn(reason!)[0])
  expect(reasons.length).toBeGreaterThan(3)
  expect(told.toSorted()).toEqual(reasons.toSorted())
})

test('docs/cache.md has every option, every part of a rule, and every word of Cache-Status', () => {
  const { text } = new Page('docs/cache.md')
  const membersOf = (path: string, name: string) => {
    const [, body = ''] = new RegExp(`interface ${name}[^{]*\\{\\n(.*?)\\n\\}`, 's').exec(
      source(path),
    )!
    return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, member]) => member!)
  }
  const options = membersOf('src/cache/response-cache-options.ts', 'ResponseCacheOptions')
  const rule = membersOf('src/cache/rules/rules.ts', 'CacheRule')
  expect([options.length, rule.length]).toEqual([18, 12])
  const files = [
    'upstream/cache-intake',
    'upstream/forwarder',
    'call-flow',
    'upstream/storing-by-rule',
    'http/storing',
  ]
  const said = files.flatMap((file) => [
    ...source(`src/cache/${file}.ts`).matchAll(
      /(?:detail: |reason: |passOn\(|refuse\(|return )'([a-z-]+)'/g,
    ),
  ])
  const words = new Set(said.map(([, word]) => word!).filter((word) => word.includes('-')))
  expect(words.size).toBeGreaterThan(8)
  const revalidations = new Set(['when-stale'])
  for (const name of [...options, ...rule, ...words]) {
    if (!revalidations.has(name)) expect(text, name).toContain(`\`${name}\``)
  }
})

test('docs/testing.md has every switch and every function', async () => {
  const { text } = new Page('docs/testing.md')
  const provider = await testing.createTestProvider()
  const api = await testing.createTestApi({ provider })
  const switches = [...Object.keys(provider.switches), ...Object.keys(api.switches)]
  await api.close()
  await provider.close()
  const missing = [...switches, ...Object.keys(testing)].filter((name) => !text.includes(name))
  expect(missing).toEqual([])
})
