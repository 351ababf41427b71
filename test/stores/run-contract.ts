// Needs a Node that strips types itself: node run-contract.ts <driver> <file beside node_modules>

import { mkdtempSync, rmSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { SqliteClient, SqliteDriver } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { storeContract } from '../../src/testing/stores/store-contract.ts'

type Open = new (path: string) => SqliteClient

/** Of node:module, new in Node 22.15. */
interface Hooks {
  registerHooks(hooks: {
    resolve(specifier: string, context: object, next: (s: string, c: object) => unknown): unknown
  }): void
}

const [driver, beside = ''] = process.argv.slice(2) as [SqliteDriver, string?]
const folder = mkdtempSync(join(tmpdir(), 'behalf-driver-'))

// The driver is a component of the tests, not a dependency that src/ would find by itself.
if (!nodeModule.isBuiltin(driver)) {
  const url = pathToFileURL(nodeModule.createRequire(beside).resolve(driver)).href
  ;(nodeModule as unknown as Hooks).registerHooks({
    resolve: (specifier, context, next) =>
      specifier === driver ? { url, shortCircuit: true } : next(specifier, context),
  })
}

const client = await openClient(join(folder, 'handed-in.sqlite'))
const stores: Record<string, () => Store> = {
  file: () => sqliteStore(join(folder, 'file.sqlite'), { driver }),
  memory: () => sqliteStore(':memory:', { driver }),
  'handed in': () => sqliteStore(client),
}

const failures: string[] = []
let passed = 0
for (const [name, make] of Object.entries(stores)) {
  await Promise.all(storeContract(make).map(({ title, run }) => check(`${name}: ${title}`, run)))
}
client.close()
rmSync(folder, { recursive: true })
console.log(JSON.stringify({ passed, failures }))

async function openClient(path: string): Promise<SqliteClient> {
  const loaded = (await import(driver)) as { DatabaseSync?: Open; default: Open }
  return new (loaded.DatabaseSync ?? loaded.default)(path)
}

async function check(title: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
    passed += 1
  } catch (error) {
    failures.push(`${title}: ${error instanceof Error ? error.stack : String(error)}`)
  }
}
