import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync } from 'node:fs'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'

const value = Buffer.from('value')
let folder: string
let path: string
let opened: Store[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'behalf-sqlite-shared-'))
  path = join(folder, 'store.sqlite')
})

afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()))
  opened = []
  rmSync(folder, { recursive: true, force: true })
})

function open(): Store {
  const store = sqliteStore(path, { driver: 'libsql' })
  opened.push(store)
  return store
}

describe.runIf(process.getuid)('a file in a folder that every user can write into', () => {
  const nobody = 65_534
  const isRoot = process.getuid?.() === 0

  beforeEach(() => chmodSync(folder, 0o1777))

  /** What the first use gives. */
  const used = () =>
    open()
      .set('key', value)
      .catch((error: unknown) => error)
  const refusal = {
    code: 'config_invalid',
    message: expect.stringMatching(/not this user's alone/),
  }

  test('is made, and used again, when it is this user\u2019s alone', async () => {
    for (let count = 0; count < 2; count += 1) {
      const store = open()
      await store.set('key', value)
      await store.close()
    }
    chmodSync(path, 0o644)
    expect((await open().get('key'))?.value).toEqual(new Uint8Array(value))
  })

  test.each([0o660, 0o606])('is refused when its mode is %o', async (mode) => {
    writeFileSync(path, '')
    chmodSync(path, mode)
    expect(await used()).toMatchObject(refusal)
  })

  test('is refused when it is a folder', async () => {
    mkdirSync(path)
    expect(await used()).toMatchObject(refusal)
  })

  test.runIf(isRoot).each(['', '-wal', '-shm', '-journal'])(
    'is refused when another user put it, or what SQLite reads beside it, there: %j',
    async (suffix) => {
      writeFileSync(path, '')
      chmodSync(path, 0o600)
      writeFileSync(path + suffix, '')
      chownSync(path + suffix, nobody, nobody)
      expect(await used()).toMatchObject(refusal)
      chmodSync(folder, 0o755)
      expect(await used()).toBeUndefined()
    },
  )

  test.runIf(isRoot)('is refused when another user made a link of it', async () => {
    const elsewhere = join(mkdtempSync(join(folder, 'own-')), 'other.sqlite')
    writeFileSync(elsewhere, '')
    symlinkSync(elsewhere, path)
    expect(await used()).toBeUndefined()
    lchownSync(path, nobody, nobody)
    expect(await used()).toMatchObject(refusal)
  })

  test.runIf(isRoot)(
    'is refused when a link leads there, to what is another user\u2019s',
    async () => {
      writeFileSync(path, '')
      chownSync(path, nobody, nobody)
      const own = mkdtempSync(join(folder, 'own-'))
      symlinkSync(path, join(own, 'link.sqlite'))
      path = join(own, 'link.sqlite')
      expect(await used()).toMatchObject(refusal)
    },
  )
})
