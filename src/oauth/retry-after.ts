/** Seconds that an API is left alone where its 429 or 503 does not say for how long. */
const usualWait = 1

/** The seconds to wait after a 429 or 503, whether or not it says. */
export function waitAfter({ headers }: Response): number {
  return retryAfter(headers) ?? usualWait
}

/**
 * The seconds that a reply asks to wait (RFC 9110 section 10.2.3: a number, or a date), 0 or more;
 * `undefined` where it does not say, or nothing that can be read.
 */
export function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? ''
  if (/^\d{1,10}$/.test(text)) return Number(text)
  const at = /[A-Za-z]{3}.*\d:\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000)
}
