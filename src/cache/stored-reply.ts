import type { Field } from './http/stored-fields.ts'

/** What a stored response is as the reply to one request. */
export interface ReplyParts {
  readonly status: number
  readonly url: string
  /** Asked for when somebody looks at the header. */
  readonly fields: () => readonly Field[]
}

type Body = string | Uint8Array | ReadableStream<Uint8Array> | null

/**
 * A `Response` whose header is made when it is looked at: many callers read the body only, and making
 * a header takes longer than finding the reply. It has a `url`, as what fetch gives.
 */
export class StoredReply extends Response {
  readonly #url: string
  readonly #fields: ReplyParts['fields']
  #headers: Headers | undefined

  constructor(body: Body, { status, url, fields }: ReplyParts) {
    super(
      body as ConstructorParameters<typeof Response>[0],
      status === 200 ? undefined : { status },
    )
    this.#url = url
    this.#fields = fields
  }

  // The types have them all as fields of Response, which a class cannot override.
  static {
    Object.defineProperties(this.prototype, {
      url: {
        get: function (this: StoredReply) {
          return this.#url
        },
      },
      headers: {
        get: function (this: StoredReply) {
          return this.#header()
        },
      },
      clone: {
        value: function (this: StoredReply) {
          return this.#clone()
        },
      },
      blob: {
        value: function (this: StoredReply) {
          return this.#typed().blob()
        },
      },
      formData: {
        value: function (this: StoredReply) {
          return this.#typed().formData()
        },
      },
    })
  }

  #header(): Headers {
    this.#headers ??= new Headers(this.#fields() as Array<[string, string]>)
    return this.#headers
  }

  #clone(): Response {
    const { body, status } = Response.prototype.clone.call(this)
    const fields = [...this.#header()]
    return new StoredReply(body, { status, url: this.#url, fields: () => fields })
  }

  /** For what looks at the type of the body. */
  #typed(): Response {
    return new Response(this.body, { headers: this.#header() })
  }
}
