import { bodyText } from '../body-text.ts'
import { heldBytes } from '../held-bytes.ts'
import type { Field } from './http/stored-fields.ts'
import { ownCopy } from './own-copy.ts'
import { rebuild } from './rebuild.ts'

/** A reply whose body is in memory. */
export interface ReplyParts {
  readonly status: number
  readonly statusText?: string
  readonly url: string
  readonly redirected?: boolean
  /** Asked for when somebody looks at the header. */
  readonly fields: () => readonly Field[]
  /** Never changed, and never handed out. `null`: no body, as 304 has none. */
  readonly body: Uint8Array | null
  /** The body, where it has been decoded already. */
  readonly text?: string | undefined
}

/**
 * A `Response` that makes what is asked for: most callers want the text or the JSON, and a stream and
 * a header that nobody looks at take longer to make than the reply takes to find. It has a `url`, as
 * what fetch gives.
 */
export class HeldReply extends Response {
  readonly #parts: ReplyParts
  #headers: Headers | undefined
  #isRead = false
  /** With a body to be streamed, as soon as somebody has asked for one. */
  #streamed: Response | undefined

  constructor(parts: ReplyParts) {
    const { status, statusText = '' } = parts
    super(null, status === 200 && statusText === '' ? undefined : { status, statusText })
    this.#parts = parts
  }

  // The types have them all as fields of Response, which a class cannot override.
  static {
    const getters = {
      url: (reply: HeldReply) => reply.#parts.url,
      redirected: (reply: HeldReply) => reply.#parts.redirected ?? false,
      headers: (reply: HeldReply) => reply.#header(),
      body: (reply: HeldReply) => reply.#stream().body,
      bodyUsed: (reply: HeldReply) => reply.#isRead || (reply.#streamed?.bodyUsed ?? false),
    }
    for (const [name, get] of Object.entries(getters)) {
      Object.defineProperty(this.prototype, name, {
        get(this: HeldReply) {
          return get(this)
        },
      })
    }
    const methods = {
      text: (reply: HeldReply) => reply.#read(textOf, (streamed) => streamed.text()),
      json: (reply: HeldReply) => reply.#read(jsonOf, (streamed) => streamed.json()),
      arrayBuffer: (reply: HeldReply) =>
        reply.#read(
          (parts) => copyOf(parts).buffer,
          (streamed) => streamed.arrayBuffer(),
        ),
      bytes: (reply: HeldReply) =>
        reply.#read(copyOf, async (streamed) => new Uint8Array(await streamed.arrayBuffer())),
      blob: async (reply: HeldReply) => reply.#stream().blob(),
      formData: async (reply: HeldReply) => reply.#stream().formData(),
      clone: (reply: HeldReply) => reply.#clone(),
    }
    for (const [name, read] of Object.entries(methods)) {
      Object.defineProperty(this.prototype, name, {
        value(this: HeldReply) {
          return read(this)
        },
      })
    }
  }

  /** Read at once, where a limit allows it. */
  get [heldBytes](): number {
    return this.#parts.body?.byteLength ?? 0
  }

  #header(): Headers {
    this.#headers ??= new Headers(this.#parts.fields() as Array<[string, string]>)
    return this.#headers
  }

  /** In one piece, unless somebody has asked for a stream. */
  async #read(
    whole: (parts: ReplyParts) => unknown,
    streamed: (response: Response) => Promise<unknown>,
  ): Promise<unknown> {
    if (this.#streamed) return streamed(this.#streamed)
    if (this.#isRead) throw alreadyRead()
    this.#isRead = this.#parts.body !== null
    return whole(this.#parts)
  }

  #stream(): Response {
    const { body } = this.#parts
    if (this.#streamed) return this.#streamed
    this.#streamed = rebuild(this, body && ownCopy(body))
    // Fetch keeps what it has read locked, and at its end.
    if (this.#isRead)
      this.#streamed.body
        ?.getReader()
        .cancel()
        .catch(() => {})
    return this.#streamed
  }

  #clone(): Response {
    if (this.#isRead) throw alreadyRead()
    if (this.#streamed) return rebuild(this, this.#streamed.clone().body)
    const fields = [...this.#header()]
    return new HeldReply({ ...this.#parts, fields: () => fields })
  }
}

function alreadyRead(): TypeError {
  return new TypeError('Body is unusable: Body has already been read')
}

function textOf({ text, body }: ReplyParts): string {
  return body ? bodyText({ text, body }) : ''
}

/** An empty body is no JSON, as fetch has it. */
function jsonOf(parts: ReplyParts): unknown {
  return JSON.parse(textOf(parts))
}

function copyOf({ body }: ReplyParts): Uint8Array {
  return new Uint8Array(body ?? [])
}
