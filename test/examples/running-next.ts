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
import { type Certificate, selfSigned } from '../support/self-signed.ts'
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
export async function buildNext(
  folder = example,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [nextOf(folder), 'build'], {
    cwd: folder,
    env: { ...quiet, ...env },
  })
  return stdout
}

/** What a running app differs in. */
export interface NextSettings {
  folder?: string
  users?: readonly TestUser[]
  /** The server that was built instead of `next start`, below the app's folder. */
  standalone?: string
  /** `next dev` instead, with plain http and no secret. */
  dev?: boolean
  /** Processes behind the one address. Default 1. */
  processes?: number
  /** Default: SQLite in a folder of its own. */
  store?: string
  /** The Node.js that runs it. Default: the one of the tests. */
  node?: string
  /** More for its environment. */
  env?: Readonly<Record<string, string>>
}

/** A Next.js app with a provider and an API that can be switched; one that was built is behind https. */
export interface RunningNext {
  folder: string
  baseUrl: string
  provider: TestProvider
  api: TestApi
  /** What the processes have printed last. */
  output(): string
  close(): Promise<void>
}

/** Starts authorization server, API, and the app as `next start` or `next dev` does. */
export async function runNext(settings: NextSettings = {}): Promise<RunningNext> {
  const { folder = example, users, processes = 1, dev = false } = settings
  const data = await mkdtemp(join(tmpdir(), 'behalf-next-'))
  const address = dev ? await plainAddress() : await tlsAddress(data)
  const { tls, baseUrl } = address
  const provider = await createTestProvider({ users, ...(tls && { tls }) })
  const api = await createTestApi({ provider, ...(tls && { tls }) })
  const env = {
    BEHALF_BASE_URL: baseUrl,
    // For an app with Auth.js.
    AUTH_URL: baseUrl,
    BEHALF_STORE: settings.store ?? `sqlite:${join(data, 'app.sqlite')}`,
    DEMO_PROVIDER: JSON.stringify({ ...provider.overrides, apiBaseUrl: api.baseUrl }),
    DEMO_LOG: '1',
    SESSION_PASSWORD: 'a-password-of-the-tests-for-iron-session-0123456789',
    ...address.env,
    ...settings.env,
  }
  const start = async () => startApp(await address.nextPort(), settings, env)
  const servers = await Promise.all(Array.from({ length: processes }, start))
  return {
    folder,
    baseUrl,
    provider,
    api,
    output: () => servers.map((server) => server.output).join('\n'),
    close: async () => {
      await address.close()
      await Promise.all(servers.map((server) => server.stop()))
      await api.close()
      await provider.close()
      await rm(data, { recursive: true })
    },
  }
}

/** Where the app is reached, and at which ports its processes have to listen. */
interface Address {
  baseUrl: string
  tls?: Certificate
  env: NodeJS.ProcessEnv
  nextPort(): Promise<number>
  close(): Promise<void>
}

async function tlsAddress(folder: string): Promise<Address> {
  const tls = selfSigned()
  const authority = join(folder, 'ca.pem')
  await writeFile(authority, tls.cert)
  const front = await httpsFront(tls)
  return {
    baseUrl: front.origin,
    tls,
    env: {
      ...quiet,
      BEHALF_SECRET: 'a-secret-of-the-tests-that-is-long-enough-0123456789',
      NODE_EXTRA_CA_CERTS: authority,
    },
    nextPort: async () => {
      const port = await freePort()
      front.ports.push(port)
      return port
    },
    close: () => front.close(),
  }
}

/** Of one process, as on a developer's machine. */
async function plainAddress(): Promise<Address> {
  const port = await freePort()
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    env: { ...quiet, NODE_ENV: 'development' },
    nextPort: async () => port,
    close: async () => {},
  }
}

function startApp(
  port: number,
  { folder = example, standalone, dev = false, node = process.execPath }: NextSettings,
  env: NodeJS.ProcessEnv,
): Promise<ServerProcess> {
  const command = dev ? 'dev' : 'start'
  return ServerProcess.start({
    command: node,
    args: standalone
      ? [join(folder, standalone)]
      : [nextOf(folder), command, '-p', String(port), '-H', '127.0.0.1'],
    cwd: folder,
    env: { ...env, PORT: String(port), HOSTNAME: '127.0.0.1' },
    patience: 60,
    ready: async () => (await fetch(`http://127.0.0.1:${port}/auth/session`)).status === 200,
  })
}
