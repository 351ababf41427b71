// Compiled by `npm run check` and never run: each line marked as an error must be one.
import express from 'express'
import { behalf, requireLogin, responseCache } from 'behalf/express'
import { oauth2, spotify } from 'behalf/providers'
import { createStore } from 'behalf/stores'

const auth = behalf({
  baseUrl: 'https://app.example.com',
  secret: process.env['BEHALF_SECRET'],
  store: createStore('memory:'),
  providers: {
    spotify: spotify({ clientId: process.env['SPOTIFY_CLIENT_ID'], scope: ['user-top-read'] }),
    crm: oauth2({ authorizationEndpoint: 'https://a.example', tokenEndpoint: 'https://t.example' }),
  },
  names: { api: 'upstream' },
  user: (req) => req.user?.id,
})

declare module 'behalf/express' {
  interface Register {
    behalf: typeof auth
    names: { api: 'upstream' }
  }
}

spotify({ retry: { limit: 3, statusCodes: [429, 502, 503] } })
spotify({ retry: false })
// @ts-expect-error -- false, or what to do
spotify({ retry: 3 })
// @ts-expect-error -- its name is limit
spotify({ retry: { retries: 3 } })

const app = express()
app.use(auth)
app.use(responseCache({ rules: { '/v1/*': 60 } }))

app.get('/artists/:id', requireLogin('spotify', { scope: 'user-top-read' }), async (req, res) => {
  const { id } = req.params
  const text: string = id
  const artist = await req.upstream.spotify.get<{ name: string }>(`artists/${text}`)
  const token: string = await req.tokens.crm.getAccessToken()
  const { api } = auth.context(req)
  // @ts-expect-error -- there is no provider of that name
  await req.upstream.nope.get('me')
  // @ts-expect-error -- there is no provider of that name
  await req.tokens.nope.grant()
  // @ts-expect-error -- there is no provider of that name
  await api.nope.get('me')
  // @ts-expect-error -- the name on the request is `upstream`
  await req.api.spotify.get('me')
  // @ts-expect-error -- a reply without a type is unknown
  const length = (await api.crm.get('x')).length
  res.json({ name: artist.name, token, length })
})

// @ts-expect-error -- there is no provider of that name
app.get('/x', requireLogin('nope'))
