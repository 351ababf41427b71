export { createTestProvider } from './test-provider.ts'
export type {
  IssuedTokens,
  ProviderOverrides,
  TestProvider,
  TestProviderOptions,
} from './test-provider.ts'
export type { ProviderSwitches, TokenEndpointSwitch, TokenRequest } from './provider-switches.ts'
export type { ProviderSeen } from './provider-state.ts'
export type { IdTokenClaims, IdTokenSwitch, SignIdToken } from './id-token.ts'
export type { TestClient } from './test-clients.ts'
export type { CompleteTestUser, TestUser } from './test-users.ts'
export { createTestApi } from './test-api.ts'
export type { TestApi, TestApiOptions } from './test-api.ts'
export type { ApiRequest, ApiSwitches } from './api-switches.ts'
export type { Delivery, RawReply } from './raw-reply.ts'
export type { ListenOptions } from './listen.ts'
export { grantFor, sessionCookie } from './grant-for.ts'
export type { Auth, GrantForOptions, SessionCookieOptions } from './grant-for.ts'
export { loginAs } from './login-as.ts'
export type { LoginReply } from './login-as.ts'
export type { LoginAsOptions } from './login-options.ts'
export type { LoginAgent, LoginResponse } from './login-agent.ts'
export type { LoginPage } from './login-page.ts'
export { storeContract } from './store-contract.ts'
export type { StoreContractCase } from './store-contract.ts'
export { chaosStore } from './chaos-store.ts'
export type { Chaos, ChaosOperation } from './chaos-store.ts'
