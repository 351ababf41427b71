import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createBehalf } from '../../src/index.ts'
import { oauth2 } from '../../src/oauth/providers/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'

/** What is left of logins that nobody finishes. */
export interface AbandonedLogins {
  /** Bytes of heap that each one has left behind. */
  bytesEach: number
  /** Entries that they have left in the store. */
  entries: number
}

/** Begins logins, each in a browser of its own that never comes back. */
export async function abandonLogins(
  logins: number,
  progress: (done: number) => void = () => {},
): Promise<AbandonedLogins> {
  const store = memoryStore()
  const auth = createBehalf({
    baseUrl: 'http://127.0.0.1:3000',
    secret: 'a-secret-of-the-torture-0123456789-0123456789',
    store,
    providers: {
      spotify: oauth2({
        clientId: 'client',
        clientSecret: 'secret',
        authorizationEndpoint: 'https://id.example.com/authorize',
        tokenEndpoint: 'https://id.example.com/token',
      }),
    },
  })
  const headers = {
    accept: 'text/html',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  }
  const begin = async (count: number) => {
    for (let done = 0; done < count; done += 1) {
      const request = new Request(`http://127.0.0.1:3000/auth/spotify/login?returnTo=/${done}`, {
        headers,
      })
      const reply = await auth.handle(request)
      if (reply?.status !== 303) throw new Error(`A login began with ${reply?.status}.`)
      if (done % 1_000 === 0) progress(done)
    }
  }
  // What is compiled and remembered once is there after the first thousand.
  await begin(1_000)
  const before = await heapUsed()
  await begin(logins)
  const bytesEach = ((await heapUsed()) - before) / logins
  let entries = 0
  for await (const _key of store.keys!('')) entries += 1
  await auth.close()
  return { bytesEach, entries }
}

async function heapUsed(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let rounds = 0; rounds < 3; rounds += 1) {
    collect()
    await new Promise(setImmediate)
  }
  return process.memoryUsage().heapUsed
}
