import { afterAll, describe, vi } from 'vitest'
import { postgresStore } from '../../../src/stores/postgres.ts'
import { component } from '../../components.ts'
import { PostgresServer } from '../../support/postgres-server.ts'
import { describeStore } from '../describe-store.ts'

// All cases share four connections, and a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const postgres = component('postgresql')
const server = postgres.present ? await PostgresServer.start(postgres.path) : undefined
afterAll(() => server?.end())

describe.skipIf(!server)('PostgreSQL', () => {
  const url = server?.url ?? 'postgres://localhost'
  describeStore('postgresStore(url)', () => postgresStore(url, { poolSize: 4 }))
})
