import { BehalfError } from '../../src/errors.ts'
import { spoiledUrls } from '../../src/cache/http/invalidation.ts'
import { KeyRing } from '../../src/key-ring.ts'
import { authorizationResponse } from '../../src/middleware/authorization-response.ts'
import { safeReturnTo } from '../../src/middleware/return-to.ts'
import { importedRecord } from '../../src/oauth/imported-tokens.ts'
import { decodeLease } from '../../src/oauth/lease-entry.ts'
import { nextPage } from '../../src/oauth/paging.ts'
import { retryAfter } from '../../src/oauth/retry-after.ts'
import { normalizeScope } from '../../src/oauth/scope.ts'
import { decodeRecord, encodeRecord, newGrant } from '../../src/oauth/token-record.ts'
import { checkTokenReply } from '../../src/oauth/token-set.ts'
import { CookieJar } from '../../src/sessions/cookie-jar.ts'
import { parseHandle } from '../../src/sessions/session.ts'
import { decodeEntry } from '../../src/stores/file/entry.ts'
import { parseStoreUrl } from '../../src/stores/store-url.ts'
import { ReplyReader } from '../../src/stores/memcached/reply.ts'
import { hostileRows } from '../hostile.ts'
import { publicUrl } from '../../src/middleware/public-url.ts'

/** Something that reads what others have written. */
export interface Parser {
  name: string
  /** Good inputs, and bad ones that are nearly good. */
  seeds: readonly string[]
  /** Reads one; throws when a law is broken, and not otherwise. */
  read(text: string): void
}

const bytes = (text: string) => Buffer.from(text, 'latin1')

/** A typed refusal is an answer; anything else that is thrown is not. */
function orRefused(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    if (!(error instanceof BehalfError)) throw error
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const keyRing = new KeyRing(['a-secret-of-the-fuzz-tests-0123456789'])
const sealed = Buffer.from(keyRing.seal('fuzz', 'x', Buffer.from('{}'))).toString('latin1')
const record = encodeRecord('k', {
  ...newGrant(),
  provider: 'spotify',
  profile: { subject: 'ada' },
  scope: ['a', 'b'],
  authorizedAt: 1,
  tokens: { accessToken: 'at', refreshToken: 'rt', expiresAt: 1, receivedAt: 1 },
})
const lease =
  '{"v":1,"owner":"o","token":"t","phase":"taken","lease":22,"failures":0,"again":false}'
const reply =
  '{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r","scope":"a b"}'
const page = new URL('https://api.example/v1/x')
const cookies = { name: 'behalf', sameSite: 'lax', secure: false, maxAge: 60 } as const
const rowsOf = (area: string, field: string) =>
  hostileRows(area)
    .map(({ input }) => input[field] as unknown)
    .filter((value) => typeof value === 'string' && value.length < 5_000) as string[]

/** All that reads what comes from outside: requests, providers, APIs, and what a store returns. */
export const parsers: readonly Parser[] = [
  {
    name: 'returnTo',
    seeds: ['/', '/a/b?c=d#e', '/%2e%2e/x', '//x', ...rowsOf('returnTo', 'value')],
    read(text) {
      const path = safeReturnTo(text, '/auth')
      const { origin, pathname } = new URL(path, 'https://app.example')
      if (origin !== 'https://app.example' || pathname.startsWith('//') || !path.startsWith('/')) {
        throw new Error(`leads to ${path}`)
      }
      if (/^\/auth(\/|$)/.test(pathname)) throw new Error(`leads back into ${path}`)
    },
  },
  {
    name: 'a callback',
    seeds: ['?code=c&state=s&iss=https%3A%2F%2Fi', '?error=access_denied&state=s', '?code[]=x'],
    read: (text) => orRefused(() => authorizationResponse('spotify', text)),
  },
  {
    name: 'a Cookie header',
    seeds: ['behalf=a.b; behalf.t.x=y', '__Host-behalf="q"', ...rowsOf('cookie', 'header')],
    read(text) {
      const jar = new CookieJar(text, cookies)
      parseHandle(jar.get(''))
      jar.list('.t.')
    },
  },
  {
    name: 'a session handle',
    seeds: [`${'a'.repeat(22)}.${'b'.repeat(32)}`],
    read: (text) => void parseHandle(text),
  },
  {
    name: 'a sealed value',
    seeds: [sealed],
    read(text) {
      const opened = keyRing.open('fuzz', 'x', bytes(text))
      if (opened.ok && !bytes(text).equals(bytes(sealed)))
        throw new Error('opened what was not sealed')
    },
  },
  {
    name: 'a token reply',
    seeds: [reply, '[]', 'null', '{"error":"x"}'],
    read(text) {
      const checked = checkTokenReply(json(text))
      if (checked.ok && !/^[\x20-\x7e]+$/.test(String(checked.reply['access_token']))) {
        throw new Error('took a token that no header can carry')
      }
    },
  },
  {
    name: 'a stored token record',
    seeds: [Buffer.from(record).toString('latin1')],
    read: (text) => void decodeRecord('k', bytes(text)),
  },
  { name: 'a stored lease', seeds: [lease], read: (text) => void decodeLease(bytes(text)) },
  {
    name: 'imported tokens',
    seeds: [
      '{"access_token":"a","refresh_token":"r","expires_at":1700000000,"scope":"a b"}',
      '{"accessToken":"a","expiresAt":1,"subject":"s"}',
    ],
    read: (text) =>
      orRefused(() =>
        importedRecord({ name: 'spotify', scope: [], definition: {} }, json(text) as never),
      ),
  },
  {
    name: 'Retry-After',
    seeds: ['1', 'Wed, 21 Oct 2026 07:28:00 GMT', '-1', '1.5'],
    read(text) {
      // Headers itself refuses what no server can send.
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) return
      const seconds = retryAfter(new Headers({ 'retry-after': text }))
      if (seconds !== undefined && !(seconds >= 0)) throw new Error(`gives ${seconds}`)
    },
  },
  {
    name: 'the next page in a body',
    seeds: ['https://api.example/v1/x?offset=20', '/v1/x', '?page=2', 'http://['],
    read: (text) =>
      orRefused(() =>
        nextPage({ name: 'api', definition: {} }, { next: text }, new Response(), page),
      ),
  },
  {
    name: 'the next page in a Link header',
    seeds: ['<https://api.example/x?page=2>; rel="next", </y>; rel=last', '<http://[>; rel=next'],
    read(text) {
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) return
      const response = new Response(null, { headers: { link: text } })
      orRefused(() => nextPage({ name: 'api', definition: { paging: 'link' } }, {}, response, page))
    },
  },
  {
    name: 'a Host header',
    seeds: ['app.example.com', '127.0.0.1:3000', '[::1]:80', 'a\u00ca\u0099'],
    read: (text) =>
      void publicUrl(['https://app.example.com'], 'http://localhost:3000/x?y', (name) =>
        name === 'host' || name === 'x-forwarded-host' ? text : undefined,
      ),
  },
  {
    name: 'a Location header',
    seeds: ['/v1/x', 'https://api.example/y#z', '//\u00ca\u0099', '../z'],
    read: (text) =>
      void spoiledUrls('https://api.example/v1/x', {
        headers: { get: () => text, has: () => true },
      }),
  },
  { name: 'a scope', seeds: ['a b', 'a,b , c', ''], read: (text) => void normalizeScope(text) },
  {
    name: "a store's URL",
    seeds: [
      'redis://u:p@h:1/2?x=y',
      'sqlite:a.sqlite',
      'file:/a?namespace=b',
      'postgres://h/db',
      'memory:',
    ],
    read: (text) => orRefused(() => parseStoreUrl(text)),
  },
  {
    name: 'a file of the file store',
    seeds: ['behalf', '\0\0\0\u0005hello', 'BHF1\0\0\0\0'],
    read: (text) => void decodeEntry(bytes(text)),
  },
  {
    name: "memcached's replies",
    seeds: ['HD O1\r\n', 'VA 2 O2 c3\r\nhi\r\n', 'EN\r\n', 'SERVER_ERROR out of memory\r\n'],
    read(text) {
      try {
        new ReplyReader(1_000).read(bytes(text))
      } catch (error) {
        // It ends the connection; what matters is that it is no accident.
        if ((error as Error).constructor !== Error) throw error
      }
    },
  },
]
