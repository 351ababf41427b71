import { BehalfError, UpstreamUnavailableError } from '../errors.ts'

/** The codes of Node's `fetch` for what took too long. */
const tooLong = /^UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT$/

/**
 * What an exchange with an API failed with becomes, when a connection or a deadline is behind it.
 * Everything else stays as it is: our own errors, the reason for which the caller aborted, and what
 * the caller did wrong.
 */
export function exchangeFailure(
  what: string,
  error: unknown,
  signal: AbortSignal | null | undefined,
): unknown {
  if (error instanceof BehalfError || signal?.aborted) return error
  const { name, message = '' } = (error ?? {}) as Partial<Error>
  if (name === 'TimeoutError') return new UpstreamUnavailableError(what, message, true)
  // Node's fetch says "fetch failed" before the headers of a reply, "terminated" after them.
  if (name !== 'TypeError' || !/^(?:fetch failed|terminated)/.test(message)) return error
  const tookTooLong = tooLong.test(codeOf(error) ?? '')
  return new UpstreamUnavailableError(what, reasonOf(error), tookTooLong)
}

/** Errors of `fetch` can quote what was sent; only the system's code is told. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  return `the connection failed${code === undefined ? '' : ` (${code})`}`
}

/** The system's code behind an error of `fetch`, such as `ECONNRESET`. */
export function codeOf(error: unknown): string | undefined {
  const { code } = ((error as Partial<Error> | null)?.cause ?? {}) as { code?: unknown }
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? code : undefined
}
