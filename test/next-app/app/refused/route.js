import { unstable_cache } from 'next/cache'
import { BehalfError, UserInSharedCacheError } from 'behalf'
import { auth, context, withApi } from '../../lib/behalf.js'

let leaked

const attempts = {
  context: () => context(),
  forUser: () => auth.forUser('user-42'),
  forSubject: () => auth.forSubject('spotify', 'ada'),
  client: () => leaked.spotify.get('me'),
}

async function outcome(name) {
  try {
    await attempts[name]()
    return 'no error'
  } catch (error) {
    const { code, name: kind, message } = error
    const isOurs = error instanceof BehalfError && error instanceof UserInSharedCacheError
    return { code, kind, message, isOurs }
  }
}

async function cached(name) {
  'use cache'
  return outcome(name)
}

const alsoCached = unstable_cache(outcome, ['refused'])

/** What comes of a user's client where results are kept for everybody. */
export const GET = withApi(async (_request, { api }) => {
  leaked = api
  const outcomes = {}
  for (const name of Object.keys(attempts)) outcomes[name] = await cached(name)
  outcomes.unstable = await alsoCached('context')
  outcomes.outside = await outcome('client')
  return Response.json(outcomes)
})
