import { ConfigError } from '../errors.ts'

/** Whose grant it is: a user's of the app, a session's, or the app's own. */
export type GrantOwner =
  | { kind: 'user'; id: string }
  | { kind: 'session'; id: string; proof: string }
  | { kind: 'app'; id: '' }

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
