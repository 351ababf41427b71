/** Whose grant it is: a user's of the app, or a session's. */
export type GrantOwner =
  | { kind: 'user'; id: string }
  | { kind: 'session'; id: string; proof: string }
