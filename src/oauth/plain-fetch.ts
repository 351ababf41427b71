/**
 * The global `fetch` without what Next.js has put around it, as it is now: Next's cache would keep one
 * user's replies for everybody. It also joins equal requests that bring no `signal`; ours do.
 */
export function plainFetch(): typeof fetch {
  const { _nextOriginalFetch: original } = fetch as { _nextOriginalFetch?: typeof fetch }
  return original ?? fetch
}
