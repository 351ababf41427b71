export { type GetIronSession, type IronCookies } from './iron-tokens.ts'
export { type Bearer, type TokenPlace, type TokensInRequest } from './token-place.ts'
export { inSession, ironSession, sealedCookie } from './tokens-in-request.ts'
