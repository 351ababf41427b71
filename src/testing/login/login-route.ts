/** The path of the app's login route, with its query. */
export function loginRoute({
  provider,
  path = '/auth',
  returnTo,
}: {
  provider: string
  path?: string | undefined
  returnTo?: string | undefined
}): string {
  const query = returnTo === undefined ? '' : `?returnTo=${encodeURIComponent(returnTo)}`
  return `${path}/${encodeURIComponent(provider)}/login${query}`
}

/** What may be shown of a URL: its query holds codes and states. */
export function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '')
}
