import { describe, expect, test } from 'vitest'
import { RetiredSecretError } from '../../src/errors.ts'
import { KeyRing } from '../../src/key-ring.ts'
import {
  loginLifetime,
  loginsUnderWay,
  type LoginTransaction,
  LoginTransactions,
  nameOf,
} from '../../src/middleware/login-transaction.ts'
import { CookieJar } from '../../src/sessions/cookie-jar.ts'

const settings = { name: 'behalf', sameSite: 'lax', secure: false, maxAge: 60 } as const
const [secret, otherSecret] = ['a'.repeat(32), 'b'.repeat(32)]
const startedAt = 1_700_000_000_000

function transactionOf(state: string, seconds = 0, returnTo = '/'): LoginTransaction {
  return {
    state,
    verifier: 'v'.repeat(43),
    provider: 'spotify',
    issuer: 'https://accounts.example',
    redirectUri: 'https://app.example/auth/spotify/callback',
    returnTo,
    scope: ['a', 'b'],
    startedAt: startedAt + seconds * 1000,
  }
}

/** A browser that keeps its cookies from one request to the next. */
class CookieKeeper {
  readonly cookies = new Map<string, string>()
  /** What the last reply set, as it was written. */
  sent: string[] = []

  request<T>(work: (logins: LoginTransactions, jar: CookieJar) => T, with_ = secret): T {
    const header = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const jar = new CookieJar(header, settings)
    try {
      return work(new LoginTransactions(jar, new KeyRing([with_])), jar)
    } finally {
      this.sent = jar.take()
      for (const cookie of this.sent) this.#keep(cookie)
    }
  }

  get names(): string[] {
    return [...this.cookies.keys()]
  }

  #keep(cookie: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!
    if (cookie.includes('Max-Age=0;')) this.cookies.delete(name!)
    else this.cookies.set(name!, value!)
  }
}

/** A browser with so many logins under way, begun a second apart. */
function browserWith(count: number, returnTo?: string): CookieKeeper {
  const browser = new CookieKeeper()
  for (let index = 1; index <= count; index += 1) {
    browser.request((logins) =>
      logins.begin(transactionOf(`state-${index}`, index, returnTo ?? `/tab/${index}`)),
    )
  }
  return browser
}

const found = (browser: CookieKeeper, state: string, with_?: string) =>
  browser.request((logins) => logins.find(state), with_)

describe("a browser's logins under way", () => {
  test('OC-10 each is found by its state and by no other, whichever came first', () => {
    const browser = browserWith(3)
    for (const index of [2, 3, 1]) {
      expect(found(browser, `state-${index}`)).toEqual(
        transactionOf(`state-${index}`, index, `/tab/${index}`),
      )
    }
    for (const state of ['state-4', '', 'STATE-1', 'state-1 ']) {
      expect(found(browser, state), state).toBeUndefined()
    }
  })

  test('OC-03 one that has ended is not found again, the others are', () => {
    const browser = browserWith(2)
    browser.request((logins) => logins.end(transactionOf('state-1', 1)))
    expect(found(browser, 'state-1')).toBeUndefined()
    expect(found(browser, 'state-2')).toBeDefined()
    expect(browser.names).toHaveLength(1)
  })

  test('OC-10 there are ten at most: the oldest makes room', () => {
    const browser = browserWith(10)
    expect(browser.names).toHaveLength(10)
    expect(browser.request((_logins, jar) => loginsUnderWay(jar))).toBe(10)
    expect(found(browser, 'state-1')).toBeDefined()
    browser.request((logins) => logins.begin(transactionOf('state-11', 11)))
    expect(browser.names).toHaveLength(10)
    expect(found(browser, 'state-1')).toBeUndefined()
    for (const index of [2, 10, 11]) expect(found(browser, `state-${index}`)).toBeDefined()
  })

  test('OC-10 however short they are, the eleventh takes the place of the oldest', () => {
    const browser = new CookieKeeper()
    for (let index = 1; index <= 11; index += 1) {
      const short = { provider: 'p', issuer: '', redirectUri: '', verifier: '', scope: [] }
      const login = { ...transactionOf(`${index}`, index), ...short }
      browser.request((logins) => logins.begin(login))
      expect(browser.names).toHaveLength(Math.min(index, 10))
    }
    expect([...browser.cookies.values()].join('').length).toBeLessThan(3_500)
    expect(found(browser, '1')).toBeUndefined()
    expect(found(browser, '2')).toBeDefined()
  })

  test('OC-10 the order in which a browser sends its cookies does not matter', () => {
    const browser = browserWith(10)
    const reversed = [...browser.cookies].toReversed()
    browser.cookies.clear()
    for (const [name, value] of reversed) browser.cookies.set(name, value)
    browser.request((logins) => logins.begin(transactionOf('state-11', 11)))
    expect(found(browser, 'state-1')).toBeUndefined()
    expect(found(browser, 'state-10')).toBeDefined()
  })

  test('OC-10 together they have 4 KB at most: long ones make room earlier, the newest stays', () => {
    const browser = browserWith(5, `/${'x'.repeat(1_000)}`)
    const bytes = () => [...browser.cookies.values()].join('').length
    expect(bytes()).toBeLessThanOrEqual(4_096)
    expect(found(browser, 'state-5')).toBeDefined()
    expect(found(browser, 'state-1')).toBeUndefined()
    expect(browser.names.length).toBe(Math.floor(4_096 / (bytes() / browser.names.length)))
  })

  test('OC-10 exactly 4 KB are not too much', () => {
    const size = (length: number) => {
      const browser = browserWith(1, `/${'x'.repeat(length)}`)
      return [...browser.cookies.values()][0]!.length
    }
    const half = Array.from({ length: 2_000 }, (_, length) => length).find(
      (length) => size(length) === 2_048,
    )!
    expect(browserWith(2, `/${'x'.repeat(half)}`).names).toHaveLength(2)
    expect(browserWith(2, `/${'x'.repeat(half + 1)}`).names).toHaveLength(1)
  })

  test('OC-03 a cookie is for the server alone, comes back from another site, and outlives the login', () => {
    const browser = browserWith(1)
    browser.request((logins) => logins.begin(transactionOf('state-2', 2)))
    const attributes = Object.fromEntries(
      browser.sent[0]!.split('; ')
        .slice(1)
        .map((one) => one.split('=')),
    )
    expect(attributes).toMatchObject({ 'Max-Age': '3600', Path: '/', SameSite: 'Lax' })
    expect(attributes).toHaveProperty('HttpOnly')
    expect(loginLifetime).toBe(600)
  })

  test('nothing of a login can be read from its cookie, its name tells only when it began', () => {
    const browser = browserWith(1)
    const [[name, value]] = [...browser.cookies] as [[string, string]]
    expect(Buffer.from(value, 'base64url').toString('latin1')).not.toMatch(/state|vvvv|spotify/)
    expect(value).toMatch(/^[\w-]+$/)
    const digits = nameOf(transactionOf('state-1'))
    expect(digits).toMatch(/^[0-9a-f]{12}$/)
    expect(name).toBe(`behalf.t.${(startedAt / 1000 + 1).toString(36)}.${digits}`)
  })

  test('SE-06 a cookie under the name of another login is none', () => {
    const browser = browserWith(2)
    const [[one, value], [other]] = [...browser.cookies] as [[string, string], [string, string]]
    browser.cookies.set(other, value)
    expect(found(browser, 'state-2')).toBeUndefined()
    browser.cookies.delete(one)
    expect(found(browser, 'state-1')).toBeUndefined()
  })

  test('SE-06 CVE-2023-48309 what was sealed for anything else under the same name is no login', () => {
    const browser = browserWith(1)
    const [name] = browser.names
    const suffix = name!.slice('behalf'.length)
    const text = Buffer.from(JSON.stringify(transactionOf('state-1', 1)))
    const seal = (purpose: string) =>
      Buffer.from(new KeyRing([secret]).seal(purpose, suffix, text)).toString('base64url')
    browser.cookies.set(name!, seal('session'))
    expect(found(browser, 'state-1')).toBeUndefined()
    browser.cookies.set(name!, seal('login'))
    expect(found(browser, 'state-1')).toBeDefined()
  })

  test('OC-03 a login whose state only begins with the same digits is not the one', () => {
    const browser = browserWith(1)
    const [name] = browser.names
    const suffix = name!.slice('behalf'.length)
    const other = Buffer.from(JSON.stringify(transactionOf('another state', 1)))
    const sealed = new KeyRing([secret]).seal('login', suffix, other)
    browser.cookies.set(name!, Buffer.from(sealed).toString('base64url'))
    expect(found(browser, 'state-1')).toBeUndefined()
  })

  test('SE-05 a damaged cookie is no login; one that another secret has sealed is not given up', () => {
    const browser = browserWith(1)
    const [[name, value]] = [...browser.cookies] as [[string, string]]
    expect(() => found(browser, 'state-1', otherSecret)).toThrow(RetiredSecretError)
    for (const damaged of ['', 'x', value.slice(0, -2), value.slice(0, -3) + 'AAA']) {
      browser.cookies.set(name, damaged)
      expect(found(browser, 'state-1'), damaged).toBeUndefined()
    }
  })

  test('logins are counted whether or not they can still be finished', () => {
    const browser = browserWith(2)
    browser.cookies.set('behalf.t.zzz.000000000000', 'x')
    browser.cookies.set('behalf.tokens', 'x')
    browser.cookies.set('other.t.zzz.000000000000', 'x')
    expect(browser.request((_logins, jar) => loginsUnderWay(jar))).toBe(3)
  })
})
