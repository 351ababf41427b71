export { inSession, type InSession } from './in-session.ts'
