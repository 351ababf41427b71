import type { ProviderDefinition, ProviderOptions } from '../oauth/provider.ts'
import { github, google, microsoft, oauth2, oidc, spotify } from '../oauth/providers/index.ts'
import { UsageError } from './usage-error.ts'

/** What the command line says of a provider. The client's secret is none of it: others could read it. */
export const providerNames = [
  'client-id',
  'issuer',
  'authorization-endpoint',
  'token-endpoint',
  'device-authorization-endpoint',
  'api',
  'scope',
  'redirect-uri',
] as const

/** The values of {@link providerNames}. */
export type ProviderArguments = Partial<Record<(typeof providerNames)[number], string>>

const presets: Readonly<Record<string, (options: ProviderOptions) => ProviderDefinition>> = {
  spotify,
  google,
  github,
  microsoft,
}

/** A preset by its name, or any other provider by its issuer or its endpoints. */
export function terminalProvider(name: string, given: ProviderArguments): ProviderDefinition {
  const options = optionsFrom(name, given)
  if (Object.hasOwn(presets, name)) return presets[name]!(options)
  const { issuer, authorizationEndpoint, tokenEndpoint } = options
  if (authorizationEndpoint && tokenEndpoint) {
    return oauth2({ ...options, authorizationEndpoint, tokenEndpoint })
  }
  if (issuer) return oidc({ ...options, issuer })
  throw new UsageError(
    `there is no provider "${name}"; there are ${Object.keys(presets).join(', ')}, and any other with --issuer URL.`,
  )
}

/** The environment variables of a provider begin with it. */
export function variablePrefix(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')
}

function optionsFrom(name: string, given: ProviderArguments): ProviderOptions {
  const prefix = variablePrefix(name)
  const clientId = given['client-id'] ?? process.env[`${prefix}_CLIENT_ID`]
  if (!clientId) throw new UsageError(`set ${prefix}_CLIENT_ID, or give --client-id ID.`)
  return {
    clientId,
    clientSecret: process.env[`${prefix}_CLIENT_SECRET`],
    issuer: given.issuer,
    authorizationEndpoint: given['authorization-endpoint'],
    tokenEndpoint: given['token-endpoint'],
    deviceAuthorizationEndpoint: given['device-authorization-endpoint'],
    apiBaseUrl: given.api,
    scope: given.scope,
    redirectUri: given['redirect-uri'],
  }
}
