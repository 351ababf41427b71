import { normalizeScope } from '../oauth/scope.ts'
import { userOwner } from '../oauth/grant-owner.ts'
import { authorizeDevice, type DeviceAuthorization } from '../oauth/device-authorization.ts'
import { type Grant, grantOf } from '../oauth/token-handler.ts'
import { grantHash } from '../oauth/token-record.ts'
import type { App } from './app.ts'
import { attachToUser } from './attach-grant.ts'
import { newRecord } from './new-record.ts'
import { checkOptional } from './visit.ts'

/** A login that has begun here and is finished at another device. */
export interface PendingDeviceLogin extends Omit<DeviceAuthorization, 'finished'> {
  /**
   * The grant, when the user has agreed. Rejects with an `AccessDeniedError` when they have not, with
   * a `CallbackError` when nobody has entered the code in time, and with whatever `onLogin` throws.
   */
  readonly grant: Promise<Grant>
}

/** Begins a login for who has no browser here, and keeps the grant for a user of the app. */
export async function beginDeviceLogin(
  app: App,
  provider: string,
  options: {
    user: string
    scope?: string | readonly string[] | undefined
    signal?: AbortSignal | undefined
  },
): Promise<PendingDeviceLogin> {
  const access = app.access(provider)
  const { id } = userOwner(options.user)
  const extra = normalizeScope(options.scope)
  checkOptional(app, provider, extra)
  const scope = normalizeScope([...access.provider.scope, ...extra])
  const begun = await authorizeDevice(access.server, scope)
  const { userCode, verificationUri, verificationUriComplete, expiresAt } = begun
  const grant = begun.finished(options.signal).then(async (result) => {
    const record = newRecord(app, access, scope, result)
    const { profile } = record
    try {
      const login = { provider, grant: grantOf(record), profile, user: id, request: undefined }
      await app.options.onLogin?.(login)
      await attachToUser(access, id, { ...record, endsAt: undefined })
    } catch (error) {
      app.background(access.server.revoke(result.tokens))
      throw error
    }
    const about = { provider, grant: grantHash(record), scope: record.scope }
    app.emit({ type: 'login', ...about })
    return grantOf(record)
  })
  // Whoever does not look at it has not asked for an error either.
  grant.catch(() => {})
  return { userCode, verificationUri, verificationUriComplete, expiresAt, grant }
}
