import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { fileStore } from '../../../src/stores/file.ts'
import { describeContract, describeStore } from '../describe-store.ts'

// Thousands of files are made and deleted here: in memory, where the system has such a folder.
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const folder = mkdtempSync(join(memory, 'behalf-file-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describeContract('the store contract', () => fileStore(join(folder, 'safe')))
describeStore('files without fsync', () => fileStore({ path: join(folder, 'fast'), fsync: false }))
