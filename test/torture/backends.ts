import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { component } from '../components.ts'
import { startDynaliteProcess } from '../support/dynalite-server.ts'
import { startMemcached } from '../support/memcached-server.ts'
import { startMongoStandInProcess } from '../support/mongo-stand-in-process.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { startRedis, startRedisCluster, startSentinel } from '../support/redis-servers.ts'

/** A store that several processes can use: its URL, once its server has been started. */
export interface TortureBackend {
  name: string
  start(): Promise<{ url: string; close(): Promise<void> }>
}

/** Those whose server is there; the others are named in a loud line. */
export function tortureBackends(): TortureBackend[] {
  return all.filter(({ needs = [] }) => needs.every((name) => component(name).present))
}

const all: ReadonlyArray<TortureBackend & { needs?: string[] }> = [
  { name: 'sqlite', start: async () => inFolder((folder) => `sqlite:${folder}/store.sqlite`) },
  { name: 'file', start: async () => inFolder((folder) => `file:${folder}/store`) },
  { name: 'redis', needs: ['redis-server'], start: () => startRedis() },
  {
    name: 'redis-hash',
    needs: ['redis-server'],
    async start() {
      const server = await startRedis()
      return { url: `${server.url}?layout=hash`, close: () => server.close() }
    },
  },
  { name: 'redis-cluster', needs: ['redis-server'], start: () => startRedisCluster() },
  {
    name: 'redis-sentinel',
    needs: ['redis-server', 'redis-sentinel'],
    start: () => startSentinel(),
  },
  {
    name: 'valkey',
    needs: ['valkey-server'],
    start: () => startRedis({ program: 'valkey-server' }),
  },
  {
    name: 'postgres',
    needs: ['postgresql'],
    async start() {
      const server = await PostgresServer.start(component('postgresql').path)
      return { url: server.url, close: () => server.end() }
    },
  },
  { name: 'memcached', needs: ['memcached'], start: () => startMemcached() },
  { name: 'mongodb', start: () => startMongoStandInProcess() },
  {
    name: 'gridfs',
    async start() {
      const server = await startMongoStandInProcess()
      return { url: server.url.replace('mongodb:', 'gridfs:'), close: () => server.close() }
    },
  },
  { name: 'dynamodb', start: () => startDynaliteProcess() },
]

async function inFolder(urlOf: (folder: string) => string) {
  const folder = mkdtempSync(join(tmpdir(), 'behalf-torture-'))
  return { url: urlOf(folder), close: async () => rmSync(folder, { recursive: true }) }
}
