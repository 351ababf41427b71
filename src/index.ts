export { type Behalf, createBehalf, type Health, type JobOptions } from './middleware/behalf.ts'
export type { Context } from './middleware/context.ts'
export type {
  DeviceLoginOptions,
  GrantQuery,
  Grants,
  ImportOptions,
  ListedGrant,
} from './middleware/grants.ts'
export type { BehalfOptions, LoginEvent, Providers, Timeouts } from './middleware/options.ts'
export type { SecretOption } from './middleware/secret.ts'
export {
  AccessDeniedError,
  BehalfError,
  CallbackError,
  ClientMisconfiguredError,
  ConfigError,
  CrossSiteRequestError,
  type ErrorCode,
  InsufficientScopeError,
  LoginRequiredError,
  NotPersistableError,
  OriginNotAllowedError,
  ProviderUnavailableError,
  RateLimitedError,
  type ReauthReason,
  ReauthRequiredError,
  RepositoryMismatchError,
  SessionNotKeptError,
  SessionOrderError,
  StateError,
  StoreUnavailableError,
  UnexpectedResponseError,
  UnsupportedOperationError,
  UpstreamError,
  UpstreamUnavailableError,
  UserInSharedCacheError,
  UserRequiredError,
} from './errors.ts'
export type { BehalfEvent, EventFields, EventListener, Happening } from './events.ts'
export type { PendingDeviceLogin } from './middleware/device-login.ts'
export type { ApiClient, ApiRequestInit, CallOptions, Query } from './oauth/api-client.ts'
export type { ImportedTokens } from './oauth/imported-tokens.ts'
export type { OnMissingGrant } from './oauth/missing-grants.ts'
export type {
  AccessTokenOptions,
  Grant,
  LoginUrlOptions,
  TokenHandler,
} from './oauth/token-handler.ts'
export type { ExchangedToken, ExchangeOptions } from './oauth/token-exchange.ts'
export type { TokenStore } from './oauth/token-store.ts'
export type { TokenSet } from './oauth/token-set.ts'
export type { SetOptions, Store, StoredValue } from './stores/store.ts'
