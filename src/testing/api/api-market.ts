import type { ApiCall } from './api-call.ts'
import { ApiError } from './api-error.ts'

/** For whom, and how, music is shown. */
export interface Viewer {
  /** Where the API is. */
  readonly origin: string
  /** The country whose rights decide what is playable: ISO 3166-1 alpha-2. */
  readonly market: string
  /** Whether the request named it; then no list of markets is shown. */
  readonly marketAsked: boolean
}

/**
 * The parameter `market`, or else the account's country. `from_token` means that country too. A
 * code that no country has is good, nothing is playable there.
 */
export function viewerOf({ content, request, account }: ApiCall): Viewer {
  const { origin } = content
  const asked = request.url.searchParams.get('market')
  if (asked !== null && asked !== 'from_token' && !/^[A-Z]{2}$/.test(asked)) {
    throw new ApiError(400, 'Invalid market code')
  }
  const { country } = account.user
  const market = asked === null || asked === 'from_token' ? country : asked
  return { origin, market, marketAsked: asked !== null }
}

/** The address of a list inside another object; its pages are of the same market. */
export function listUrl(path: string, { origin, market, marketAsked }: Viewer): URL {
  const url = new URL(path, origin)
  if (marketAsked) url.searchParams.set('market', market)
  return url
}
