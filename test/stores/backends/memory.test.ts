import { randomUUID } from 'node:crypto'
import { createStore } from '../../../src/stores/create-store.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { describeStore } from '../describe-store.ts'

const name = `memory:${randomUUID()}`
describeStore('the memory store of a name', () => createStore(name))

const store = memoryStore()
describeStore('memoryStore()', () => store)
