declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  /** What a middleware is given of a request, as far as the tests look at it. */
  export interface ProviderContext {
    path: string
    method: string
    body: unknown
    status: number
    headers: Record<string, string | undefined>
    oidc?: { params?: Record<string, unknown> }
  }

  /** The part of oidc-provider that the tests use; it has no types of its own. */
  export class Provider {
    constructor(issuer: string, configuration: object)
    use(middleware: (context: ProviderContext, next: () => Promise<void>) => Promise<void>): void
    callback(): (request: IncomingMessage, response: ServerResponse) => void
  }
}
