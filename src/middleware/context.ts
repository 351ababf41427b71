import { ApiClient } from '../oauth/api-client.ts'
import { TokenHandler, type Visitor } from '../oauth/token-handler.ts'
import { apiCall, type CallSettings } from './api-call.ts'
import type { App } from './app.ts'
import { visitorPartition } from './call-partition.ts'
import type { Providers } from './options.ts'

/** What a request carries: for each provider an authenticated client and a token handler. */
export interface Context<P extends Providers = Providers> {
  readonly api: { readonly [Name in keyof P]: ApiClient }
  readonly tokens: { readonly [Name in keyof P]: TokenHandler }
}

/** Makes the clients and handlers of a visitor, for all providers or one. */
export function contextFor<P extends Providers>(
  app: App,
  visitor: Visitor,
  settings: CallSettings,
  only?: string,
): Context<P> {
  const api: Record<string, ApiClient> = {}
  const tokens: Record<string, TokenHandler> = {}
  for (const [name, access] of app.accesses) {
    if (only !== undefined && name !== only) continue
    const handler = (tokens[name] = new TokenHandler(access, visitor))
    api[name] = new ApiClient(access.provider, {
      send: apiCall(app, access, handler, settings),
      partition: () => visitorPartition(app, handler, settings.cache()),
    })
  }
  return { api, tokens } as unknown as Context<P>
}
