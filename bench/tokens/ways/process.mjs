// Plain JavaScript: one process of an app that has one user's tokens in Redis, and keeps them valid
// in one way or another.

const ways = {
  behalf: () => import('./behalf.mjs'),
  alone: () => import('./alone.mjs'),
  'single-flight': () => import('./single-flight.mjs'),
  lock: () => import('./lock.mjs'),
}

const { way, ...settings } = JSON.parse(process.argv[2])
const { keeper } = await ways[way]()
const { logIn, expire, getAccessToken } = await keeper(settings)

const answers = {
  logIn: ({ tokens }) => logIn(tokens),
  expire,
  call: ({ calls }) =>
    Promise.all(
      Array.from({ length: calls }, () =>
        getAccessToken().then(
          (token) => ({ token }),
          () => ({}),
        ),
      ),
    ),
}

process.on('message', async ({ ask, ...question }) => {
  process.send((await answers[ask](question)) ?? 'done')
})
process.on('disconnect', () => process.exit())
process.send('ready')
