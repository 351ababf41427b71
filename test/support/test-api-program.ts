// Prints what a client sees of a test API that is made of a seed, for test-api-seed.test.ts.
import { createTestApi, createTestProvider } from '../../src/testing/index.ts'

const [, , seed = ''] = process.argv
const provider = await createTestProvider()
const api = await createTestApi({ provider, seed })
const scope = ['user-top-read', 'user-library-read', 'playlist-read-private']
const { accessToken } = provider.issueTokens({ user: 'ada', scope })
const headers = { authorization: `Bearer ${accessToken}` }
for (const path of [
  'me/top/tracks?limit=50',
  'me/top/artists?limit=50',
  'me/tracks?limit=50&offset=200',
  'me/playlists?limit=50',
  'search?q=the&type=track,album,artist,playlist&limit=50',
]) {
  const reply = await fetch(`${api.baseUrl}/${path}`, { headers })
  const text = await reply.text()
  console.log(text.replaceAll(api.origin, 'api:').replaceAll(provider.issuer, 'provider:'))
}
await api.close()
await provider.close()
