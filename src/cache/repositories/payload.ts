/** What the bodies of a repository's responses mean. */
export interface PayloadHandler<P = unknown> {
  /** Of responses that are made of a payload. */
  readonly contentType: string
  serialize(payload: P): string | Uint8Array
  /** Throws for what is none; such a stored response counts as not there. */
  parse(body: Uint8Array): P
}

/** Bodies of JSON. */
export function json<P = unknown>(): PayloadHandler<P> {
  return {
    contentType: 'application/json',
    serialize: (payload) => JSON.stringify(payload),
    parse: (body) => JSON.parse(new TextDecoder().decode(body)) as P,
  }
}

/** Bodies of text (UTF-8). */
export function text(): PayloadHandler<string> {
  return {
    contentType: 'text/plain;charset=utf-8',
    serialize: (payload) => payload,
    parse: (body) => new TextDecoder().decode(body),
  }
}
