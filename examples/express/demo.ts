// What `npm run demo` runs: the app, and the servers it needs when there is no Spotify client.
import { mkdirSync } from 'node:fs'
import type { Server } from 'node:http'
import { styleText } from 'node:util'
import { createStore } from 'behalf/stores'
import { createTestApi, createTestProvider } from 'behalf/testing'
import { createApp, type Settings } from './app.ts'
import { logLine } from './call-log.ts'
import { freePort, listening } from './ports.ts'

/** Where the app calls, and what is to be stopped at the end. */
type Upstream = Pick<Settings, 'provider'> & {
  file: string
  about: (redirectUri: string) => string
  close: () => Promise<void>
}

const coloured = process.stdout.isTTY
const folder = '.behalf'

const real = Boolean(process.env['SPOTIFY_CLIENT_ID'])
const wanted = Number(process.env['PORT'] || 3000)
// Spotify knows the redirect URI with its port, so another port would not do.
const port = real ? wanted : await freePort(wanted)
const baseUrl = `http://127.0.0.1:${port}`
const upstream = real ? spotifyItself() : await testServers()

mkdirSync(folder, { recursive: true, mode: 0o700 })
const store = createStore(`sqlite:${process.env['DEMO_DATABASE'] || `${folder}/${upstream.file}`}`)
const { app, auth } = createApp({
  ...upstream,
  baseUrl,
  store,
  onEvent: (event) => console.log(logLine(event, new Date(), coloured)),
})
await auth.ready()
const server = await listening(app, port)
announce()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())

function spotifyItself(): Upstream {
  return {
    file: 'spotify.sqlite',
    about: (redirectUri) =>
      `  Calls the real Spotify. Register this redirect URI there: ${redirectUri}`,
    close: async () => {},
  }
}

/** Short-lived access tokens, so that whoever plays with the app sees them refreshed. */
async function testServers(): Promise<Upstream> {
  const provider = await createTestProvider({ clientName: 'Top tracks', accessTokenTtl: 300 })
  const api = await createTestApi({ provider })
  return {
    provider: { ...provider.overrides, apiBaseUrl: api.baseUrl },
    file: 'demo.sqlite',
    about: () =>
      `  Calls a made-up Spotify on this machine (login ${provider.issuer}, API ${api.origin}).`,
    close: async () => {
      await api.close()
      await provider.close()
    },
  }
}

function announce(): void {
  const url = coloured ? styleText(['bold', 'underline', 'green'], baseUrl) : baseUrl
  console.log(`\n  Open  ${url}\n`)
  console.log(upstream.about(`${baseUrl}/auth/spotify/callback`))
  console.log('  Press Ctrl+C to stop. Every upstream call is one line below.\n')
}

async function stop(): Promise<void> {
  await closed(server)
  await auth.close()
  await store.close()
  await upstream.close()
}

function closed(toClose: Server): Promise<void> {
  return new Promise((resolve) => {
    toClose.close(() => resolve())
    toClose.closeAllConnections()
  })
}
