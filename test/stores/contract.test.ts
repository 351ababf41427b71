import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { KeyRing } from '../../src/key-ring.ts'
import { guarded } from '../../src/stores/guarded.ts'
import { createStore } from '../../src/stores/create-store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sealed } from '../../src/stores/sealed.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { storeContract } from '../../src/testing/store-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'behalf-contract-'))
afterAll(() => rmSync(folder, { recursive: true }))

const keyRing = new KeyRing(['0123456789abcdef0123456789abcdef'])
const limits = { name: 'test store', deadline: { read: 10, write: 10 } }
const sqliteFile = () => sqliteStore(join(folder, 'shared.sqlite'), { driver: 'libsql' })

const stores: Record<string, () => Store> = {
  'memoryStore()': () => memoryStore(),
  'the memory store of a name': () => createStore('memory:contract'),
  'sqliteStore(file)': sqliteFile,
  "sqliteStore(':memory:')": () => sqliteStore(':memory:', { driver: 'libsql' }),
  'sealed(memoryStore())': () => sealed(memoryStore(), keyRing),
  'sealed(sqliteStore(file))': () => sealed(sqliteFile(), keyRing),
  'guarded(memoryStore())': () => guarded(memoryStore(), limits),
  'guarded(sqliteStore(file))': () => guarded(sqliteFile(), limits),
  'sealed(guarded(sqliteStore(file)))': () => sealed(guarded(sqliteFile(), limits), keyRing),
}

for (const [name, make] of Object.entries(stores)) {
  describe.concurrent(`the store contract on ${name}`, () => {
    // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- both are in the contract
    for (const { title, run } of storeContract(make)) test(title, run)
  })
}
