export {
  inSession,
  ironSession,
  type OpenIronSession,
  type RequestPlace,
  sealedCookie,
} from './request-place.ts'
