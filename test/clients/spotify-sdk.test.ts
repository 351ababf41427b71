import { type AccessToken, SpotifyApi } from '@spotify/web-api-ts-sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StoreUnavailableError } from '../../src/errors.ts'
import { spotifySdkAuth } from '../../src/oauth/providers/index.ts'
import { loginAs } from '../../src/testing/index.ts'
import { type Carried, createClientApp } from './client-app.ts'
import { describeClient } from './describe-client.ts'
import { createSpotifyWorld, type OutsideWorld } from './outside-world.ts'

type Req = Carried<'spotify'>

function sdkFor(req: Req): SpotifyApi {
  // docs/clients.md: begin
  const sdk = new SpotifyApi(spotifySdkAuth(req.tokens.spotify), { fetch: req.api.spotify.fetch })
  // docs/clients.md: end
  return sdk
}

/** With a signal, which the SDK's methods do not take. */
function abortableSdk(req: Req, signal: AbortSignal): SpotifyApi {
  // docs/clients.md: begin
  const sdk = new SpotifyApi(spotifySdkAuth(req.tokens.spotify), {
    fetch: (url, init) => req.api.spotify.fetch(url, { ...init, signal }),
  })
  // docs/clients.md: end
  return sdk
}

async function savedTracks(req: Req): Promise<string[]> {
  const sdk = sdkFor(req)
  const ids: string[] = []
  // docs/clients.md: begin
  for (let offset = 0, total = 1; offset < total; offset += 50) {
    const page = await sdk.currentUser.tracks.savedTracks(50, offset)
    ids.push(...page.items.map(({ track }) => track.id))
    total = page.total
  }
  // docs/clients.md: end
  return ids
}

describeClient('@spotify/web-api-ts-sdk', {
  name: 'spotify',
  world: createSpotifyWorld,
  profilePath: '/v1/me',
  missingPath: '/v1/tracks/0000000000000000000000',
  profile: async (req) => {
    let cacheStatus: unknown
    const sdk = new SpotifyApi(spotifySdkAuth(req.tokens.spotify), {
      fetch: req.api.spotify.fetch,
      afterRequest: (_url, _init, response) => {
        cacheStatus = response.headers.get('cache-status')
      },
    })
    const { id } = await sdk.currentUser.profile()
    return { id, cacheStatus }
  },
  firstThree: async (req) => {
    const page = await sdkFor(req).currentUser.tracks.savedTracks(3)
    return page.items.map(({ track }) => track.id)
  },
  wholeList: savedTracks,
  write: async (req) => {
    const { tracks } = sdkFor(req).currentUser
    const [first] = (await tracks.savedTracks(1)).items
    // Not saveTracks(): the test API does not know the bare list of ids that it sends.
    await sdkFor(req).makeRequest('PUT', 'me/tracks', { ids: [first!.track.id] })
    return tracks.hasSavedTracks([first!.track.id])
  },
  written: [true],
  missing: (req) => sdkFor(req).tracks.get('0000000000000000000000'),
  reported: {
    message: expect.stringMatching(
      /^Unrecognised response code: 404 - Not Found\. Body: \{"error"/,
    ),
  },
  aborted: (req, signal) => abortableSdk(req, signal).currentUser.profile(),
  // It puts its own address before whatever it is given; only a path can try to climb out.
  elsewhere: (req, url) => sdkFor(req).makeRequest('GET', `../..//${new URL(url).host}/`),
})

describe('spotifySdkAuth', () => {
  let world: OutsideWorld
  beforeAll(async () => {
    world = await createSpotifyWorld()
  })
  afterAll(() => world.close())

  /** Runs `use` in a request of somebody who is logged in as Ada, or of nobody. */
  async function inRequest(use: (req: Req) => Promise<unknown>, user?: 'ada'): Promise<unknown> {
    const { browser, errors } = createClientApp('spotify', world.definition, { use })
    const visitor = browser()
    if (user) await loginAs(visitor, { user, provider: 'spotify' })
    const reply = await visitor.get('/use')
    expect(errors).toEqual([])
    return reply.body
  }

  test('the SDK gets the token of the moment, and never a refresh token', async () => {
    const tokens: AccessToken[] = []
    await inRequest(async (req) => {
      const sdk = sdkFor(req)
      tokens.push((await sdk.getAccessToken())!)
      world.provider.expireAccessTokens()
      await sdk.currentUser.profile()
      await sdk.currentUser.tracks.savedTracks(1)
      tokens.push((await sdk.getAccessToken())!)
    }, 'ada')
    const [before, after] = tokens
    expect(world.provider.accountOf(before!.access_token)).toBeUndefined()
    expect(world.provider.accountOf(after!.access_token)).toMatchObject({ userId: 'ada' })
    expect(tokens.map(({ refresh_token }) => refresh_token)).toEqual(['', ''])
    expect(after!.expires_in).toBeGreaterThan(3500)
    expect(after!.expires_in).toBeLessThanOrEqual(3600)
    expect(after!.expires).toBeGreaterThan(Date.now() + 3_500_000)
  })

  test('authenticate() of the SDK says that the user is there', async () => {
    const reply = await inRequest((req) => sdkFor(req).authenticate(), 'ada')
    expect(reply).toMatchObject({ authenticated: true })
  })

  test('logOut() of the SDK ends nothing', async () => {
    const reply = await inRequest(async (req) => {
      const sdk = sdkFor(req)
      sdk.logOut()
      return [await sdk.currentUser.profile(), await req.tokens.spotify.grant()]
    }, 'ada')
    expect(reply).toMatchObject([{ id: 'ada' }, { subject: 'ada' }])
  })

  test("a fetch of the SDK that is not behalf's is given a token that works", async () => {
    const reply = await inRequest((req) => {
      const options = { fetch: world.definition.fetch! }
      return new SpotifyApi(spotifySdkAuth(req.tokens.spotify), options).currentUser.profile()
    }, 'ada')
    expect(reply).toMatchObject({ id: 'ada' })
  })

  test('where nobody is logged in the SDK has no access token', async () => {
    expect(await inRequest((req) => sdkFor(req).getAccessToken())).toBeNull()
  })

  test('where the grant has ended neither', async () => {
    const token = await inRequest(async (req) => {
      world.provider.revokeGrants('ada')
      await sdkFor(req)
        .currentUser.tracks.savedTracks(1)
        .catch(() => undefined)
      return sdkFor(req).getAccessToken()
    }, 'ada')
    expect(token).toBeNull()
  })

  test('SE-13 a store that is away is no missing login', async () => {
    const away = new StoreUnavailableError('it is away')
    const auth = spotifySdkAuth({ live: () => Promise.reject(away) })
    await expect(new SpotifyApi(auth).getAccessToken()).rejects.toBe(away)
  })
})
