import { once } from 'node:events'
import { createTestApi } from '../testing/api/test-api.ts'
import { createTestProvider } from '../testing/provider/test-provider.ts'
import type { TestProvider } from '../testing/provider/test-provider.ts'
import { readArguments } from './arguments.ts'
import { UsageError } from './usage-error.ts'

const defaultHost = '127.0.0.1'
const defaultProviderPort = 4010
const defaultApiPort = 4020

/** `behalf test-servers`: runs the test provider and the test API until Ctrl-C. */
export async function testServers(args: string[]): Promise<void> {
  const given = readArguments(args, ['provider-port', 'api-port', 'host'])
  const host = given.host ?? defaultHost
  const providerPort = portFrom(given['provider-port'], defaultProviderPort)
  const apiPort = portFrom(given['api-port'], defaultApiPort)

  const provider = await starting(providerPort, () =>
    createTestProvider({ port: providerPort, host, log: logger('provider') }),
  )
  try {
    const api = await starting(apiPort, () =>
      createTestApi({ provider, port: apiPort, host, log: logger('api') }),
    )
    process.stdout.write(announcement(provider, api.baseUrl))
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
    await api.close()
  } finally {
    await provider.close()
  }
}

async function starting<T>(port: number, start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    const what = code === 'EADDRINUSE' ? `port ${port} is in use` : `cannot listen (${code})`
    throw new UsageError(`${what}; choose another with --provider-port or --api-port.`, 1)
  }
}

function portFrom(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new UsageError(`"${text}" is no port.`)
}

function logger(name: string): (line: string) => void {
  return (line) => {
    const time = new Date().toTimeString().slice(0, 8)
    process.stdout.write(`${time} ${name.padEnd(8)} ${line}\n`)
  }
}

function announcement({ issuer, overrides, users }: TestProvider, apiBaseUrl: string): string {
  const settings = Object.entries({ ...overrides, apiBaseUrl })
    .map(([name, value]) => `  ${name}: '${value}',`)
    .join('\n')
  return `Authorization server  ${issuer}
Upstream API          ${apiBaseUrl}
Users                 ${users.map(({ id }) => id).join(', ')}

spotify({
${settings}
  scope: ['user-top-read', 'user-library-read', 'user-library-modify'],
})

Ctrl-C ends both.

`
}
