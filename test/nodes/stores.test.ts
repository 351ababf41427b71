import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { createStore } from '../../src/stores/create-store.ts'
import { describeContract } from '../stores/describe-store.ts'

// What needs no server, on each Node with the driver that createStore() finds on it. In memory,
// where the system has such a folder: what is asked here is not how fast a disk is.
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const folder = mkdtempSync(join(memory, 'behalf-nodes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describeContract('memory', () => createStore('memory:'))
describeContract('files', () => createStore(`file:${join(folder, 'files')}`))
describeContract('SQLite', () => createStore(`sqlite:${join(folder, 'store.sqlite')}`))
