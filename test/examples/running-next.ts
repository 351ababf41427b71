import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  createTestApi,
  createTestProvider,
  type TestApi,
  type TestProvider,
  type TestUser,
} from 'behalf/testing'
import { httpsFront } from '../support/https-front.ts'
import { selfSigned } from '../support/self-signed.ts'
import { freePort, ServerProcess } from '../support/server-process.ts'
import { project } from './page.ts'

const example = join(project, 'examples/next')

/** How `next build` and `next start` are run here; a build gets no secret, no store and no address. */
const quiet = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' } as const

/** The program of the Next.js that an app has. */
function nextOf(folder: string): string {
  const manifest = createRequire(join(folder, 'app.js')).resolve('next/package.json')
  return join(manifest, '../dist/bin/next')
}

/** Runs `next build` in a folder. */
export async function buildNext(folder = example): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [nextOf(folder), 'build'], {
    cwd: folder,
    env: quiet,
  })
  return stdout
}

/** What a running app differs in. */
export interface NextSettings {
  folder?: string
  users?: readonly TestUser[]
  /** The server that was built instead of `next start`, below the app's folder. */
  standalone?: string
  /** Processes behind the one address. Default 1. */
  processes?: number
  /** Default: SQLite in a folder of its own. */
  store?: string
}

/** A Next.js app that was built, behind https, with a provider and an API that can be switched. */
export interface RunningNext {
  baseUrl: string
  provider: TestProvider
  api: TestApi
  /** What the processes have printed last. */
  output(): string
  close(): Promise<void>
}

/** Starts authorization server, API, and the built app as `next start` does. */
export async function runNext(settings: NextSettings = {}): Promise<RunningNext> {
  const { folder = example, standalone, users, processes = 1 } = settings
  const data = await mkdtemp(join(tmpdir(), 'behalf-next-'))
  const tls = selfSigned()
  await writeFile(join(data, 'ca.pem'), tls.cert)
  const provider = await createTestProvider({ users, tls })
  const api = await createTestApi({ provider, tls })
  const front = await httpsFront(tls)
  const env = {
    ...quiet,
    BEHALF_BASE_URL: front.origin,
    BEHALF_SECRET: 'a-secret-of-the-tests-that-is-long-enough-0123456789',
    BEHALF_STORE: settings.store ?? `sqlite:${join(data, 'app.sqlite')}`,
    DEMO_PROVIDER: JSON.stringify({ ...provider.overrides, apiBaseUrl: api.baseUrl }),
    DEMO_LOG: '1',
    NODE_EXTRA_CA_CERTS: join(data, 'ca.pem'),
  }
  const start = async () => {
    const port = await freePort()
    const server = await ServerProcess.start({
      command: process.execPath,
      args: standalone
        ? [join(folder, standalone)]
        : [nextOf(folder), 'start', '-p', String(port), '-H', '127.0.0.1'],
      cwd: folder,
      env: { ...env, PORT: String(port), HOSTNAME: '127.0.0.1' },
      patience: 60,
      ready: async () => (await fetch(`http://127.0.0.1:${port}/auth/session`)).status === 200,
    })
    front.ports.push(port)
    return server
  }
  const servers = await Promise.all(Array.from({ length: processes }, start))
  return {
    baseUrl: front.origin,
    provider,
    api,
    output: () => servers.map((server) => server.output).join('\n'),
    close: async () => {
      await front.close()
      await Promise.all(servers.map((server) => server.stop()))
      await api.close()
      await provider.close()
      await rm(data, { recursive: true })
    },
  }
}
