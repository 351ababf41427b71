import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStore } from 'behalf/stores'
import {
  createTestApi,
  createTestProvider,
  type TestApi,
  type TestProvider,
  type TestUser,
} from 'behalf/testing'
import { createApp } from '../../examples/express/app.ts'
import { logLine } from '../../examples/express/call-log.ts'
import { freePort, listening } from '../../examples/express/ports.ts'

/** The example in this process, so that the servers behind it can be switched. */
export interface RunningApp {
  baseUrl: string
  provider: TestProvider
  api: TestApi
  /** What the demo would have printed. */
  log: string[]
  /** Every token that the app was given or has sent. */
  tokens: Set<string>
  folder: string
  close(): Promise<void>
}

/** Starts authorization server, API and app on free ports. */
export async function runApp(users?: readonly TestUser[]): Promise<RunningApp> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-example-'))
  const provider = await createTestProvider({ users })
  const api = await createTestApi({ provider })
  const store = createStore(`sqlite:${join(folder, 'app.sqlite')}`)
  const port = await freePort(0)
  const baseUrl = `http://127.0.0.1:${port}`
  const log: string[] = []
  const tokens = new Set<string>()
  process.env['BEHALF_SECRET'] = 'a-secret-of-the-tests-that-is-long-enough-0123456789'
  const { app, auth } = createApp({
    baseUrl,
    store,
    provider: { ...provider.overrides, apiBaseUrl: api.baseUrl, fetch: watching(tokens) },
    onEvent: (event) => log.push(logLine(event, new Date(), false)),
  })
  const server = await listening(app, port)
  return {
    baseUrl,
    provider,
    api,
    log,
    tokens,
    folder,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await auth.close()
      await store.close()
      await api.close()
      await provider.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** A fetch that notes the tokens that pass. */
function watching(tokens: Set<string>): typeof fetch {
  return async (input, init) => {
    const sent = new Headers(init?.headers).get('authorization')
    if (sent?.startsWith('Bearer ')) tokens.add(sent.slice('Bearer '.length))
    const response = await fetch(input, init)
    const text = await response.clone().text()
    for (const [, token] of text.matchAll(/"(?:access|refresh)_token":"([^"]+)"/g)) {
      tokens.add(token!)
    }
    return response
  }
}
