import type { ApiCall } from './api-call.ts'
import { ApiError } from './api-error.ts'
import { curators } from './catalogue-words.ts'
import { userObject, userSummary } from './spotify-objects.ts'

/**
 * `GET users/{id}`: the caller, the curators of the playlists, and the users of the test provider,
 * where it runs in this process.
 */
export function publicProfile({ content, account, id: encoded }: ApiCall): unknown {
  const id = decoded(encoded)
  const user = [account.user, ...content.users].find((one) => one.id === id)
  if (user) return userObject(user, content)
  const curator = curators.find((one) => one.id === id)
  if (!curator) throw new ApiError(404, 'Resource not found')
  return { ...userSummary(curator, content), followers: { href: null, total: 4711 }, images: [] }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
