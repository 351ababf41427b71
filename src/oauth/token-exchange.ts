import type { AuthorizationServer } from './authorization-server.ts'
import { scopeParameter } from './authorization-server.ts'
import { tokenSetFrom } from './token-set.ts'
import { tokenTarget } from './token-target.ts'

/** What the exchanged token is to be good for (RFC 8693 section 2.1). */
export interface ExchangeOptions {
  /** The service that takes it, by its name at the provider. */
  audience?: string | undefined
  /** The service that takes it, an absolute URI. */
  resource?: string | undefined
  scope?: string | readonly string[] | undefined
  /** Default an access token. */
  requestedTokenType?: string | undefined
}

/** A token that came of an exchange. */
export interface ExchangedToken {
  accessToken: string
  /** Epoch ms; `undefined` when the provider did not say. */
  expiresAt: number | undefined
  /** What it is good for; `undefined`: what was asked for. */
  scope: readonly string[] | undefined
  /** What it is (RFC 8693 section 3). */
  issuedTokenType: string | undefined
}

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** Exchanges an access token at its provider (RFC 8693). */
export async function exchangeToken(
  server: AuthorizationServer,
  subjectToken: string,
  { audience, resource, scope, requestedTokenType }: ExchangeOptions,
): Promise<ExchangedToken> {
  const target = tokenTarget(scope, resource)
  const parameters = new URLSearchParams({
    subject_token: subjectToken,
    subject_token_type: accessTokenType,
    ...scopeParameter(server.provider, target.scope),
    ...(audience === undefined ? {} : { audience }),
    ...(resource === undefined ? {} : { resource }),
    ...(requestedTokenType === undefined ? {} : { requested_token_type: requestedTokenType }),
  })
  const { reply, sentAt } = await server.otherGrant(grantType, parameters)
  const tokens = tokenSetFrom(reply, sentAt, server.provider.definition)
  const { accessToken, expiresAt, scope: granted } = tokens
  const type = reply['issued_token_type']
  const issuedTokenType = typeof type === 'string' ? type : undefined
  return { accessToken, expiresAt, scope: granted, issuedTokenType }
}
