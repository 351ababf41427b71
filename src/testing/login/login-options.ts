/** Options of `loginAs()`. */
export interface LoginAsOptions {
  /** The id of a user of the test provider. */
  user: string
  /** The provider's name in the app, such as `spotify`. */
  provider: string
  /** Where the app has its routes, its `basePath`. Default `/auth`. */
  path?: string | undefined
  /** Where the login leads to; a local path. Default what the app does without it. */
  returnTo?: string | undefined
  /** The app's origin. A page needs it unless its context has a `baseURL`; an agent sends it as Host. */
  baseUrl?: string | undefined
  /** Presses Cancel instead of logging in. Default `false`. */
  cancel?: boolean | undefined
}
