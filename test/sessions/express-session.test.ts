import session from 'express-session'
import { secret } from '../middleware/express-app.ts'
import { describeSessions } from './describe-sessions.ts'

describeSessions("express-session's MemoryStore", () => ({
  hasSession: true,
  before: (app) => app.use(session({ secret, resave: false, saveUninitialized: false })),
}))
