import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterAll } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { describeStore } from './describe-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'behalf-sqlite-contract-'))
const client = new Database(join(folder, 'client.sqlite'))
client.exec('PRAGMA journal_mode = WAL')
client.exec('PRAGMA synchronous = NORMAL')
afterAll(() => {
  client.close()
  rmSync(folder, { recursive: true, force: true })
})

describeStore('a file', () => sqliteStore(join(folder, 'file.sqlite'), { driver: 'libsql' }))
describeStore('a database handed in', () => sqliteStore(client))
