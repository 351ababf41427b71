import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { storeContract } from '../../src/testing/stores/store-contract.ts'
import { component } from '../components.ts'

const node24 = component('node24')
const program = fileURLToPath(new URL('run-contract.ts', import.meta.url))
const beside = fileURLToPath(new URL('../../.components/node24/package.json', import.meta.url))

describe.skipIf(!node24.present)('under Node 24', () => {
  test.each(['node:sqlite', 'better-sqlite3'])(
    'a file, memory and a database handed in pass the store contract with %s',
    async (driver) => {
      const { stdout } = await promisify(execFile)(node24.path, [program, driver, beside])
      const { length } = storeContract(memoryStore)
      expect(JSON.parse(stdout)).toEqual({ passed: 3 * length, failures: [] })
    },
    120_000,
  )

  test('node:sqlite is found by itself, and says nothing', async () => {
    const script = `
      import { sqliteStore } from ${JSON.stringify(join(program, '../../../src/stores/sqlite.ts'))}
      const store = sqliteStore(':memory:')
      await store.set('key', Buffer.from('found'))
      console.log(Buffer.from((await store.get('key')).value).toString())`
    const args = ['--input-type=module', '--eval', script]
    const { stdout, stderr } = await promisify(execFile)(node24.path, args)
    expect({ stdout, stderr }).toEqual({ stdout: 'found\n', stderr: '' })
  })
})
