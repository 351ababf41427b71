import { ConfigError } from '../errors.ts'
import type { RecordHome } from './record-home.ts'

/** Whose grant it is: a user's of the app, a session's, or the app's own. */
export type GrantOwner = { kind: 'user'; id: string } | SessionOwner | { kind: 'app'; id: '' }

/** A visitor's session, by the name and the proof of its handle. */
export interface SessionOwner {
  kind: 'session'
  id: string
  proof: string
  /** Where its records lie, when not in the store: the session itself, or cookies. */
  home?: RecordHome | undefined
}

/** Whoever has granted, in the provider's terms: their newest grant, by whichever owner. */
export interface AnyOfSubject {
  kind: 'subject'
  id: string
}

/** Throws a `ConfigError` for what is no user id: all who have none would share one grant. */
export function userOwner(id: unknown): { kind: 'user'; id: string } {
  if (typeof id === 'string' && id !== '') return { kind: 'user', id }
  throw new ConfigError("A user's id must be a text that is not empty; for nobody it is undefined.")
}
