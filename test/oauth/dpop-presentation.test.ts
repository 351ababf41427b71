import { expect, test } from 'vitest'
import { Presentation, presentation, thisInstant } from '../../src/oauth/presentation.ts'
import { tokenFetch } from '../../src/oauth/provider-fetch.ts'
import { resolveProvider } from '../../src/oauth/provider.ts'
import { oauth2 } from '../../src/oauth/providers/index.ts'

/** Presents a refresh token to a server that answers so; tells how far it got. */
async function presentedTo(reply: Response): Promise<Presentation> {
  const presented = new Presentation(thisInstant(), 5)
  const definition = oauth2({
    clientId: 'an-app',
    authorizationEndpoint: 'https://id.example.com/authorize',
    tokenEndpoint: 'https://id.example.com/token',
    fetch: async () => reply,
  })
  const provider = resolveProvider('mine', definition, fetch)
  const init = { method: 'POST', body: 'refresh_token=x', [presentation]: presented }
  const answer = await tokenFetch(provider, 5, 'https://id.example.com/token', init)
  // openid-client reads it too.
  expect(await answer.text()).not.toBe('')
  return presented
}

const nonce = { 'dpop-nonce': 'n' }

test('OC-33 a server that only wants its nonce has not looked at the refresh token', async () => {
  const challenge = Response.json({ error: 'use_dpop_nonce' }, { status: 400, headers: nonce })
  expect((await presentedTo(challenge)).progress).toBe('unsent')
})

test.each([
  ['another error', Response.json({ error: 'invalid_grant' }, { status: 400, headers: nonce })],
  ['no nonce', Response.json({ error: 'use_dpop_nonce' }, { status: 400 })],
  ['no JSON', new Response('oops', { status: 400, headers: nonce })],
])('OC-33 one that answers with %s has', async (_what, reply) => {
  expect((await presentedTo(reply)).progress).toBe('answered')
})
