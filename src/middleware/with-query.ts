/** A local URL with further parameters; a query that it has is kept. */
export function withQuery(url: string, parameters: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(parameters).toString()
  if (query === '') return url
  return `${url}${url.includes('?') ? '&' : '?'}${query}`
}
