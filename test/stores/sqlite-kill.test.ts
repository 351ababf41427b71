import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterAll, expect, test } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { expectWhole, killRounds, killWriters } from '../support/killed-writers.ts'

const folder = mkdtempSync(join(tmpdir(), 'behalf-sqlite-kill-'))
const path = join(folder, 'store.sqlite')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test(
  `after kill -9 of two busy writers, ${killRounds} times, the database is sound and what was acknowledged is there`,
  async () => {
    for (let round = 0; round < killRounds; round += 1) {
      const done = await killWriters('sqlite', path)
      const store = sqliteStore(path, { driver: 'libsql' })
      await expectWhole(store, done)
      await store.close()
      expect(ask('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
      expect(ask(orphans)).toEqual([])
    }
  },
  10_000 + killRounds * 5_000,
)

const orphans = `SELECT version FROM "behalf.bodies" WHERE version NOT IN (SELECT version FROM behalf)
  UNION SELECT version FROM behalf WHERE typeof(value) <> 'blob' AND
    version NOT IN (SELECT version FROM "behalf.bodies")`

function ask(sql: string): unknown[] {
  const database = new Database(path)
  const answer = database.prepare(sql).all()
  database.close()
  return answer
}
