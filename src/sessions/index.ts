export { inSession, type RequestPlace, sealedCookie } from './request-place.ts'
