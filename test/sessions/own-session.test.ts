import { describeSessions } from './describe-sessions.ts'

describeSessions('no session of the app', () => ({ hasSession: false }), ['Express 5', 'Express 4'])
