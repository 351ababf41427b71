export { createTestProvider } from './provider/test-provider.ts'
export type {
  IssuedTokens,
  ProviderOverrides,
  TestProvider,
  TestProviderOptions,
} from './provider/test-provider.ts'
export type {
  ProviderSwitches,
  TokenEndpointSwitch,
  TokenRequest,
} from './provider/provider-switches.ts'
export type { ProviderSeen } from './provider/provider-state.ts'
export type { IdTokenClaims, IdTokenSwitch, SignIdToken } from './provider/id-token.ts'
export type { TestClient } from './provider/test-clients.ts'
export type { CompleteTestUser, TestUser } from './provider/test-users.ts'
export { createTestApi } from './api/test-api.ts'
export type { TestApi, TestApiOptions } from './api/test-api.ts'
export type { ApiRequest, ApiSwitches } from './api/api-switches.ts'
export type { Delivery, RawReply } from './server/raw-reply.ts'
export type { ListenOptions } from './server/listen.ts'
export { grantFor, sessionCookie } from './login/grant-for.ts'
export type { Auth, GrantForOptions, SessionCookieOptions } from './login/grant-for.ts'
export { loginAs } from './login/login-as.ts'
export type { LoginReply } from './login/login-as.ts'
export type { LoginAsOptions } from './login/login-options.ts'
export type { LoginAgent, LoginResponse } from './login/login-agent.ts'
export type { LoginPage } from './login/login-page.ts'
export { storeContract } from './stores/store-contract.ts'
export type { StoreContractCase } from './stores/store-contract.ts'
export { chaosStore } from './stores/chaos-store.ts'
export type { Chaos, ChaosOperation } from './stores/chaos-store.ts'
