// What `npm run demo:next` runs: the app as `next dev`, and the servers it needs when there is no Spotify client.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { styleText } from 'node:util'
import { createTestApi, createTestProvider } from 'behalf/testing'
import { freePort } from '../express/ports.ts'

/** Where the app calls, and what is to be stopped at the end. */
interface Upstream {
  provider: object
  file: string
  about: string
  close: () => Promise<void>
}

const folder = '.behalf'
const real = Boolean(process.env['SPOTIFY_CLIENT_ID'])
const wanted = Number(process.env['PORT'] || 3000)
// Spotify knows the redirect URI with its port, so another port would not do.
const port = real ? wanted : await freePort(wanted)
const baseUrl = `http://127.0.0.1:${port}`
const upstream = real ? spotifyItself() : await testServers()

mkdirSync(folder, { recursive: true, mode: 0o700 })
const database = resolve(process.env['DEMO_DATABASE'] || `${folder}/${upstream.file}`)
const next = join(createRequire(import.meta.url).resolve('next/package.json'), '../dist/bin/next')
const app = spawn(process.execPath, [next, 'dev', '-p', String(port), '-H', '127.0.0.1'], {
  cwd: import.meta.dirname,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: {
    ...process.env,
    NEXT_TELEMETRY_DISABLED: '1',
    BEHALF_BASE_URL: baseUrl,
    BEHALF_STORE: `sqlite:${database}`,
    DEMO_PROVIDER: JSON.stringify(upstream.provider),
    DEMO_LOG: '1',
  },
})
announce()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => app.kill(signal))
app.once('exit', () => void upstream.close())

function spotifyItself(): Upstream {
  return {
    provider: {},
    file: 'spotify.sqlite',
    about: `Calls the real Spotify. Register this redirect URI there: ${baseUrl}/auth/spotify/callback`,
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
    about: `Calls a made-up Spotify on this machine (login ${provider.issuer}, API ${api.origin}).`,
    close: async () => {
      await api.close()
      await provider.close()
    },
  }
}

function announce(): void {
  const url = process.stdout.isTTY ? styleText(['bold', 'underline', 'green'], baseUrl) : baseUrl
  console.log(`\n  Open  ${url}  (Next.js builds each page when it is first opened)\n`)
  console.log(`  ${upstream.about}`)
  console.log('  Press Ctrl+C to stop. Every upstream call is one line below.\n')
}
