import { getIronSession } from 'iron-session'

const options = {
  cookieName: 'session',
  password: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
  cookieOptions: { secure: false },
}

/** The tokens in a sealed cookie. */
export function serve(app) {
  app.get('/login', async (req, res) => {
    const session = await getIronSession(req, res, options)
    const [accessToken, refreshToken] = ['a'.repeat(200), 'r'.repeat(130)]
    session.tokens = { accessToken, refreshToken, expiresAt: Date.now() + 3_600_000 }
    await session.save()
    res.send('in')
  })
  app.get('/token', async (req, res) => {
    const { tokens } = await getIronSession(req, res, options)
    if (!tokens || tokens.expiresAt < Date.now()) return res.sendStatus(401)
    res.json({ has: tokens.accessToken !== '' })
  })
}
