/**
 * Whom a token was issued to. It stands in the token itself, so that the provider and the API of
 * every process know it without sharing anything.
 */
export interface Credentials {
  /** The user's id at the provider. */
  subject: string
  scope: string
  /** One of its own for each login, which begins with who has logged in. */
  login: string
}

/** The app itself, by client credentials. */
export const ofTheApp: Credentials = { subject: 'app', scope: 'read', login: 'app' }

/** A token, code or other secret of that kind. */
export function secretOf(kind: 'access' | 'refresh' | 'code', whose: Credentials): string {
  const { subject, scope, login } = whose
  return Buffer.from(JSON.stringify([kind, subject, scope, login])).toString('base64url')
}

/** Throws for what is no secret of that kind. */
export function credentialsIn(kind: 'access' | 'refresh' | 'code', secret: string): Credentials {
  const [found, subject, scope, login] = JSON.parse(
    Buffer.from(secret, 'base64url').toString(),
  ) as string[]
  if (found !== kind) throw new Error(`a ${found} came as a ${kind}`)
  return { subject: subject!, scope: scope!, login: login! }
}
