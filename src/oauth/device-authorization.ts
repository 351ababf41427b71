import { setTimeout as sleep } from 'node:timers/promises'
import * as oauth from 'openid-client'
import { CallbackError, ConfigError, ProviderUnavailableError } from '../errors.ts'
import {
  type AuthorizationServer,
  type LoginResult,
  scopeParameter,
} from './authorization-server.ts'
import { newDpopKey } from './dpop.ts'
import { InvalidGrant, rebuilt } from './rebuilt-error.ts'

/** A login that waits for its user, who is at another device (RFC 8628 section 3.2). */
export interface DeviceAuthorization {
  /** What the user types in there. */
  userCode: string
  /** Where. */
  verificationUri: string
  /** The same address with the code in it, for a link or a QR code, where the provider has one. */
  verificationUriComplete: string | undefined
  /** Until when, epoch ms. */
  expiresAt: number
  /** Asks until the user has agreed; throws an `AccessDeniedError` or a `CallbackError` otherwise. */
  finished(signal: AbortSignal | undefined): Promise<LoginResult>
}

/** Seconds: no login takes longer, whatever the provider says. */
const longest = 1_800
const usualInterval = 5

/** Begins a login of a device without a browser (RFC 8628 section 3.1). */
export async function authorizeDevice(
  server: AuthorizationServer,
  scope: readonly string[],
): Promise<DeviceAuthorization> {
  const { name, resources } = server.provider
  const configuration = await server.configured()
  if (!configuration.serverMetadata().device_authorization_endpoint) {
    throw new ConfigError(
      `providers.${name}: it has no device authorization endpoint (RFC 8628). Set deviceAuthorizationEndpoint, or log in with a browser.`,
    )
  }
  const parameters = new URLSearchParams(scopeParameter(server.provider, scope))
  for (const resource of resources) parameters.append('resource', resource)
  const begun = await oauth
    .initiateDeviceAuthorization(configuration, parameters)
    .catch((error: unknown) => {
      throw rebuilt(name, error)
    })
  const expiresAt = Date.now() + Math.min(begun.expires_in, longest) * 1000
  return {
    userCode: begun.user_code,
    verificationUri: begun.verification_uri,
    verificationUriComplete: begun.verification_uri_complete,
    expiresAt,
    finished: (signal) => poll(server, begun, expiresAt, signal),
  }
}

/** A server in trouble does not end the waiting: the code is good still. */
async function poll(
  server: AuthorizationServer,
  begun: oauth.DeviceAuthorizationResponse,
  expiresAt: number,
  signal: AbortSignal | undefined,
): Promise<LoginResult> {
  for (;;) {
    try {
      return await pollOnce(server, begun, expiresAt, signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (Date.now() >= expiresAt) throw tooLate(server)
      if (!(error instanceof ProviderUnavailableError)) throw error
    }
    await sleep((begun.interval ?? usualInterval) * 1000, undefined, signal ? { signal } : {})
  }
}

async function pollOnce(
  server: AuthorizationServer,
  begun: oauth.DeviceAuthorizationResponse,
  expiresAt: number,
  given: AbortSignal | undefined,
): Promise<LoginResult> {
  const { name, definition, resources } = server.provider
  const configuration = await server.configured()
  const dpopKey = definition.dpop ? newDpopKey() : undefined
  const controller = new AbortController()
  const abort = () => controller.abort(given?.reason)
  const timer = setTimeout(abort, expiresAt - Date.now())
  given?.addEventListener('abort', abort, { once: true })
  const parameters = resources[0] === undefined ? {} : { resource: resources[0] }
  const options = {
    signal: controller.signal,
    ...(dpopKey ? { DPoP: await server.dpopHandle(dpopKey) } : {}),
  }
  try {
    const reply = await oauth.pollDeviceAuthorizationGrant(
      configuration,
      begun,
      parameters,
      options,
    )
    return await server.loginResult(reply, Date.now(), dpopKey)
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError && error.error === 'expired_token') {
      throw tooLate(server)
    }
    const failed = rebuilt(name, error)
    throw failed instanceof InvalidGrant
      ? new CallbackError(name, 'its device code is not valid (any more)', 'invalid_grant')
      : failed
  } finally {
    clearTimeout(timer)
    given?.removeEventListener('abort', abort)
  }
}

function tooLate({ provider }: AuthorizationServer): CallbackError {
  return new CallbackError(provider.name, 'nobody has entered the code in time', 'expired_token')
}
