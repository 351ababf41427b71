import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import type { Browser } from '../middleware/express-app.ts'
import { type Carried, type ClientApp, createClientApp } from './client-app.ts'
import type { OutsideWorld } from './outside-world.ts'

/** One client as an app uses it; each of these is a route of the app. */
export interface ClientCase<Name extends string> {
  /** The provider, under `req.api`. */
  name: Name
  world(): Promise<OutsideWorld>
  /** The path of `profile`, such as `/v1/me`. */
  profilePath: string
  /** The path of `missing`, which the API does not know. */
  missingPath: string
  /** A read: the user's id, and the header `Cache-Status` as the client shows it. */
  profile(req: Carried<Name>): Promise<{ id: string; cacheStatus: unknown }>
  /** A query: the first three names of the user's list. */
  firstThree(req: Carried<Name>): Promise<string[]>
  /** The whole list, in more than one page. */
  wholeList(req: Carried<Name>): Promise<string[]>
  /** A write, then a read of what it changed. */
  write(req: Carried<Name>): Promise<unknown>
  /** What `write` gives. */
  written: unknown
  /** Asks for what is not there. */
  missing(req: Carried<Name>): Promise<unknown>
  /** What the client throws or gives then. */
  reported: object
  /** A read of the profile, ended by the client's own means. */
  aborted(req: Carried<Name>, signal: AbortSignal): Promise<unknown>
  /** A request to a server that is none of the provider's. */
  elsewhere(req: Carried<Name>, url: string): Promise<unknown>
}

/** What every client can rely on when it is handed `req.api.<provider>.fetch`. */
export function describeClient<Name extends string>(name: string, client: ClientCase<Name>): void {
  describe(`an API driven with ${name}`, () => {
    let world: OutsideWorld
    let app: ClientApp
    let leave: AbortController
    let outcome: unknown
    let token: string
    const stranger = createStranger()

    beforeAll(async () => {
      world = await client.world()
      await stranger.open()
    })
    afterAll(async () => {
      await stranger.close()
      await world.close()
    })
    beforeEach(() => {
      world.reset()
      leave = new AbortController()
      app = createClientApp(client.name, world.definition, {
        profile: (req) => client.profile(req),
        'first-three': (req) => client.firstThree(req),
        'whole-list': (req) => client.wholeList(req),
        write: (req) => client.write(req),
        missing: async (req) => {
          token = await req.tokens[client.name].getAccessToken()
          outcome = await client.missing(req).catch((error: unknown) => error)
        },
        aborted: (req) => client.aborted(req, leave.signal),
        elsewhere: (req) => client.elsewhere(req, stranger.url()),
      })
    })

    async function signedIn(user: string): Promise<Browser> {
      const browser = app.browser()
      await loginAs(browser, { user, provider: client.name })
      world.reset()
      return browser
    }

    test('reads what belongs to the user', async () => {
      const ada = await signedIn('ada')
      expect((await ada.get('/profile')).body).toMatchObject({ id: 'ada' })
    })

    test('sends a query and walks a list to its end', async () => {
      const ada = await signedIn('ada')
      const whole = (await ada.get('/whole-list')).body as string[]
      expect(whole.length).toBeGreaterThan(20)
      expect(new Set(whole).size).toBe(whole.length)
      expect((await ada.get('/first-three')).body).toEqual(whole.slice(0, 3))
    })

    test('writes', async () => {
      const ada = await signedIn('ada')
      expect((await ada.get('/write')).body).toEqual(client.written)
    })

    test('TK-14 reports an error of the API in its own way, and no token with it', async () => {
      const ada = await signedIn('ada')
      await ada.get('/missing')
      expect(outcome).toMatchObject(client.reported)
      expect(world.requestsTo(client.missingPath)).toBe(1)
      expect(world.provider.accountOf(token)).toMatchObject({ userId: 'ada' })
      expect(inspect(outcome, { depth: 8, showHidden: true })).not.toContain(token)
    })

    test('CA-05 gives each of two users at once their own', async () => {
      const [ada, grace] = [await signedIn('ada'), await signedIn('grace')]
      const list = async (browser: Browser) => (await browser.get('/whole-list')).body as string[]
      const alone = [await list(ada), await list(grace)]
      expect(alone[0]).not.toEqual(alone[1])
      expect(await Promise.all([list(ada), list(grace)])).toEqual(alone)
      const ids = await Promise.all(
        Array.from({ length: 12 }, async (_, call) => {
          const reply = await (call % 2 === 0 ? ada : grace).get('/profile')
          return (reply.body as { id: string }).id
        }),
      )
      expect(ids).toEqual(Array.from({ length: 6 }, () => ['ada', 'grace']).flat())
    })

    test('TK-09 does not notice that the access token has expired in between', async () => {
      const ada = await signedIn('ada')
      world.provider.reset()
      world.provider.expireAccessTokens()
      expect((await ada.get('/first-three')).body).toHaveLength(3)
      expect((await ada.get('/write')).body).toEqual(client.written)
      expect(world.provider.seen.refreshRequests).toBe(1)
    })

    test('gets the second read from the response cache', async () => {
      const ada = await signedIn('ada')
      const [first, second] = [await ada.get('/profile'), await ada.get('/profile')]
      expect((first.body as { cacheStatus: unknown }).cacheStatus).toMatch(/fwd=uri-miss.*stored/)
      expect((second.body as { cacheStatus: unknown }).cacheStatus).toMatch(/^behalf; hit; ttl=/)
      expect(world.requestsTo(client.profilePath)).toBe(1)
    })

    test('gives up when it is told to', async () => {
      const ada = await signedIn('ada')
      world.hang()
      const reply = ada.get('/aborted').then(() => undefined)
      await expect.poll(() => world.requestsTo(client.profilePath)).toBe(1)
      leave.abort()
      await reply
      expect(app.errors).toEqual([expect.objectContaining({ name: 'AbortError' })])
    })

    test('TK-02 takes the token to no other origin', async () => {
      const ada = await signedIn('ada')
      await ada.get('/elsewhere')
      expect(app.errors).toEqual([expect.objectContaining({ code: 'origin_not_allowed' })])
      expect(stranger.visits()).toBe(0)
    })

    test('lets through that nobody is logged in', async () => {
      await app.browser().get('/profile')
      expect(app.errors).toEqual([
        expect.objectContaining({
          code: 'login_required',
          loginUrl: expect.stringContaining(`/auth/${client.name}/login`),
        }),
      ])
      expect(world.requestsTo(client.profilePath)).toBe(0)
    })
  })
}

/** A server that is none of the provider's. */
function createStranger() {
  let visits = 0
  const server = createServer((_req, res) => {
    visits += 1
    res.end('{}')
  })
  return {
    open: () => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)),
    url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/me`,
    visits: () => visits,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
