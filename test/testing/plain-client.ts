import { createHash } from 'node:crypto'
import type { TestProvider } from '../../src/testing/index.ts'

/** A token reply or token error response, as it is on the wire. */
export interface WireTokens {
  access_token: string
  refresh_token?: string
  expires_in?: number
  scope: string
  id_token?: string
  error?: string
}

export const redirectUri = 'http://127.0.0.1:9/callback'
export const verifier = 'a-code-verifier-that-is-long-enough-for-rfc-7636'
export const state = 'state-of-the-plain-client'

/** The authorization request of an app; an extra parameter that is `undefined` is left out. */
export function authorizationUrl(
  provider: TestProvider,
  extra: Record<string, string | undefined> = {},
): string {
  const parameters = {
    client_id: provider.overrides.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'user-top-read',
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...extra,
  }
  const url = new URL(provider.overrides.authorizationEndpoint)
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url.href
}

/** Presses a button of the login page and gives the authorization response. */
export async function press(url: string, button: Record<string, string>): Promise<URLSearchParams> {
  const body = new URLSearchParams(button)
  const reply = await fetch(url, { method: 'POST', body, redirect: 'manual' })
  return new URL(reply.headers.get('location') ?? 'missing:').searchParams
}

export async function codeFor(
  provider: TestProvider,
  user = 'ada',
  extra: Record<string, string | undefined> = {},
): Promise<string> {
  return (await press(authorizationUrl(provider, extra), { user })).get('code') ?? ''
}

/** Posts to the token endpoint with `client_secret_basic`, unless told otherwise. */
export function tokenRequest(
  provider: TestProvider,
  parameters: Record<string, string>,
  init: RequestInit = {},
): Promise<Response> {
  const { clientId, clientSecret, tokenEndpoint } = provider.overrides
  const authorization = `Basic ${btoa(`${clientId}:${clientSecret}`)}`
  const body = new URLSearchParams(parameters)
  return fetch(tokenEndpoint, { method: 'POST', body, headers: { authorization }, ...init })
}

export function redeem(
  provider: TestProvider,
  code: string,
  changes: Record<string, string> = {},
): Promise<Response> {
  return tokenRequest(provider, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...changes,
  })
}

export function refresh(provider: TestProvider, refreshToken = ''): Promise<Response> {
  return tokenRequest(provider, { grant_type: 'refresh_token', refresh_token: refreshToken })
}

export async function tokensIn(reply: Response | Promise<Response>): Promise<WireTokens> {
  return (await (await reply).json()) as WireTokens
}
