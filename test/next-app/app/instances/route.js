import { LoginRequiredError } from 'behalf'
import { noteCore, withApi } from '../../lib/behalf.js'

/** How many copies of the module there are, how many cores, and whose errors these are. */
export const GET = withApi(async (_request, { api }) => {
  noteCore()
  const error = await api.spotify.get('me').catch((thrown) => thrown)
  return Response.json({
    copies: globalThis.copies.size,
    cores: globalThis.cores.size,
    error: { name: error.name, isOurs: error instanceof LoginRequiredError },
  })
})
