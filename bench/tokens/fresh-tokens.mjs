import { behalf } from 'behalf/express'
import { oauth2 } from 'behalf/providers'
import { grantFor } from 'behalf/testing'
import { Redis } from 'ioredis'
import { measure } from '../measure.mjs'

// Plain JavaScript, and behalf as it is published: what runs TypeScript on the fly costs too much.

const { store, port, ...client } = JSON.parse(process.argv[2])
const auth = behalf({
  baseUrl: 'http://127.0.0.1:3000',
  secret: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
  store,
  providers: { spotify: oauth2(client) },
  user: () => 'ada',
})
await grantFor(auth, { user: 'ada', provider: 'spotify' })
const redis = new Redis(port)
const [record] = await redis.keys('*:grant:*')

const ways = {
  ours: async () => (await auth.forUser('ada')).tokens.spotify.getAccessToken(),
  // The command that the store sends: a record is one string of Redis'.
  bare: () => redis.getBuffer(record),
}

process.on('message', async ({ way, ...load }) => process.send(await measure(ways[way], load)))
process.on('disconnect', () => process.exit())
process.send('ready')
