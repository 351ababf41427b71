import { beforeEach, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, useWorld } from '../middleware/express-app.ts'

const world = useWorld()
beforeEach(() => world.provider.reset())

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
let asked: Readonly<Record<string, string>> | undefined

/** A token endpoint that offers the exchange. */
function offers(reply: object, status = 200): void {
  asked = undefined
  world.provider.switches.tokenEndpoint = ({ grantType, parameters }) => {
    if (grantType !== exchange) return undefined
    asked = parameters
    const headers = { 'content-type': 'application/json' }
    return { status, headers, body: JSON.stringify(reply) }
  }
}

const exchanged = {
  access_token: 'for-another-service',
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  token_type: 'Bearer',
  expires_in: 60,
  scope: 'read',
}

async function userOf() {
  const { browser, auth } = createApp(world)
  await loginAs(browser(), { user: 'ada', provider: 'spotify' })
  return (await auth.forSubject('spotify', 'ada')).tokens.spotify
}

test('a user’s token is exchanged for one that another service takes', async () => {
  offers(exchanged)
  const tokens = await userOf()
  const given = await tokens.exchange({
    audience: 'billing',
    resource: 'https://billing.example/',
    scope: 'read',
  })
  expect(given).toMatchObject({ accessToken: 'for-another-service', scope: ['read'] })
  expect(given.expiresAt).toBeGreaterThan(Date.now() + 50_000)
  expect(asked).toEqual({
    grant_type: exchange,
    subject_token: await tokens.getAccessToken(),
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: 'billing',
    resource: 'https://billing.example/',
    scope: 'read',
  })
})

test('the app’s own token is exchanged as well', async () => {
  offers(exchanged)
  const { auth } = createApp(world)
  const { tokens } = await auth.forApp('spotify')
  await tokens.spotify.exchange({ audience: 'billing' })
  expect(asked?.['subject_token']).toBe(await tokens.spotify.getAccessToken())
})

test('a refusal is the app’s mistake and ends no grant; the reply is checked', async () => {
  offers({ error: 'invalid_target' }, 400)
  const tokens = await userOf()
  await expect(tokens.exchange({ audience: 'nobody' })).rejects.toMatchObject({
    code: 'client_misconfigured',
    error: 'invalid_target',
  })
  offers({ ...exchanged, access_token: 'a\nb' })
  await expect(tokens.exchange()).rejects.toMatchObject({ code: 'unexpected_response' })
  await expect(tokens.exchange({ resource: 'billing' })).rejects.toThrow(/absolute URI/)
  expect(await tokens.grant()).toBeDefined()
})
