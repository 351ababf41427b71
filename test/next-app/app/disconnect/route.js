import { withApi } from '../../lib/behalf.js'

export const GET = withApi(async (_request, { tokens }) => {
  await tokens.spotify.disconnect()
  return new Response('gone')
})
