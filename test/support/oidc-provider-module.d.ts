declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  /** What a middleware is given of a request, as far as the tests look at it. */
  export interface ProviderContext {
    path: string
    method: string
    body: unknown
    status: number
    headers: Record<string, string | undefined>
    oidc?: { params?: Record<string, unknown>; client?: ProviderClient }
  }

  /** A client that has proved itself. */
  export interface ProviderClient {
    clientId: string
  }

  /** A token that the server has issued, or is about to. */
  export interface ProviderToken {
    readonly accountId: string
    readonly grantId: string
    readonly scope: string
    readonly isValid: boolean
    readonly expiration: number
    readonly tokenType: string
    save(): Promise<string>
  }

  /** Makes and finds them. */
  export interface ProviderTokens {
    new (properties: object): ProviderToken
    find(token: string): Promise<ProviderToken | undefined>
  }

  /** The part of oidc-provider that the tests use; it has no types of its own. */
  export class Provider {
    constructor(issuer: string, configuration: object)
    use(middleware: (context: ProviderContext, next: () => Promise<void>) => Promise<void>): void
    readonly AccessToken: ProviderTokens
    registerGrantType(
      name: string,
      handler: (context: ProviderContext, next: () => Promise<void>) => Promise<void>,
      parameters: readonly string[],
      repeatable?: readonly string[],
    ): void
    callback(): (request: IncomingMessage, response: ServerResponse) => void
  }
}
