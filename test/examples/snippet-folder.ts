import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

/** What pages speak of without making it: snippets that make it themselves hide it. */
const surroundings = `
import type { Express, Request, Response } from 'express'
import expressModule from 'express'
import type supertest from 'supertest'
import type { ImportedTokens } from 'behalf'
import type { ExpressBehalf } from 'behalf/express'
import type { ProviderDefinition } from 'behalf/providers'
import type { Store } from 'behalf/stores'
import type { TestApi, TestProvider } from 'behalf/testing'

type OwnProviders = { spotify: ProviderDefinition }
declare module 'behalf/express' { interface Register { behalf: ExpressBehalf<OwnProviders> } }
declare module 'express-session' { interface SessionData { behalf: string } }
declare global {
  namespace Express { interface User { id: string } }
  const app: Express
  const auth: ExpressBehalf<OwnProviders>
  const baseUrl: string
  const providers: OwnProviders
  const store: Store
  const req: Request
  const res: Response
  const provider: TestProvider
  const api: TestApi
  const express: typeof expressModule
  const request: typeof supertest
  const behalf: typeof import('behalf/express').behalf
  const requireLogin: typeof import('behalf/express').requireLogin
  const responseCache: typeof import('behalf/express').responseCache
  const spotify: typeof import('behalf/providers').spotify
  const createStore: typeof import('behalf/stores').createStore
  const createApp: (given: { spotify: ProviderDefinition }) => Express
  const findOldTokens: (user: string, provider: string) => Promise<ImportedTokens | undefined>
  const fetchQuote: (name: string) => Promise<unknown>
  const test: (title: string, run: () => Promise<void>) => void
}
`

/** A folder inside the project, where `behalf` is what has been built, by its own name. */
export class SnippetFolder {
  readonly path = mkdtempSync(join(import.meta.dirname, '.snippets-'))

  /** Writes a file; gives its path. */
  write(name: string, text: string): string {
    const path = join(this.path, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  remove(): void {
    rmSync(this.path, { recursive: true })
  }

  /** What strict TypeScript says of the snippets, each a module; nothing where all is well. */
  async complaints(snippets: readonly string[], around = surroundings): Promise<string> {
    const files = snippets.map((code, at) => [`${at}.ts`, `${code}\nexport {}\n`] as const)
    return this.check({ ...Object.fromEntries(files), 'surroundings.d.ts': around })
  }

  /** The same of files by their paths. */
  async check(files: Readonly<Record<string, string>>, more: object = {}): Promise<string> {
    for (const [name, text] of Object.entries(files)) this.write(name, text)
    const compilerOptions = {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      types: ['node'],
      ...more,
    }
    const config = { compilerOptions, files: Object.keys(files) }
    const path = this.write('tsconfig.json', JSON.stringify(config))
    const { output } = await ended(spawn(process.execPath, [tsc, '-p', path], { cwd: this.path }))
    return output
  }

  /** Starts a program in the folder; it may tell this process something by `process.send`. */
  start(program: string): ChildProcess {
    return spawn(process.execPath, ['--import', tsx, program], {
      cwd: this.path,
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
  }
}

/** Waits for a program's end; gives what it printed. */
export async function ended(child: ChildProcess): Promise<{ output: string; code: number | null }> {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  await once(child, 'close')
  return { output, code: child.exitCode }
}
