import { execFileSync } from 'node:child_process'
import { createStore } from '../../../src/stores/create-store.ts'
import { component } from '../../components.ts'
import { startDynaliteProcess } from '../../support/dynalite-server.ts'
import { startMemcached } from '../../support/memcached-server.ts'
import { startMongoStandInProcess } from '../../support/mongo-stand-in-process.ts'
import { PostgresServer } from '../../support/postgres-server.ts'
import { startRedis } from '../../support/redis-servers.ts'
import { describeFaults } from '../describe-faults.ts'
import type { FaultTarget } from '../describe-faults.ts'

/** Each backend that has a server; those whose server is not there are named in a loud line. */
const targets: ReadonlyArray<{
  name: string
  needs?: string
  survivesKill: boolean
  start(): Promise<FaultTarget>
}> = [
  { name: 'redis', needs: 'redis-server', survivesKill: false, start: () => redis() },
  {
    name: 'redis with node-redis',
    needs: 'redis-server',
    survivesKill: false,
    start: () => redis('driver=redis'),
  },
  { name: 'postgres', needs: 'postgresql', survivesKill: true, start: postgres },
  { name: 'memcached', needs: 'memcached', survivesKill: false, start: memcached },
  { name: 'mongodb (stand-in)', survivesKill: false, start: mongodb },
  { name: 'dynamodb (dynalite)', survivesKill: false, start: dynamodb },
]

for (const { name, needs, survivesKill, start } of targets) {
  if (needs && !component(needs).present) continue
  describeFaults(name, start, { survivesKill })
}

async function redis(options = ''): Promise<FaultTarget> {
  const { server, port, close } = await startRedis()
  return { server, port, close, url: (through) => `redis://127.0.0.1:${through}?${options}` }
}

async function memcached(): Promise<FaultTarget> {
  const server = await startMemcached()
  return {
    server: server.process,
    port: server.port,
    url: (through) => `memcached://127.0.0.1:${through}`,
    close: () => server.close(),
  }
}

async function mongodb(): Promise<FaultTarget> {
  const server = await startMongoStandInProcess()
  return {
    server: server.process,
    port: Number(new URL(server.url).port),
    url: (through) => `mongodb://127.0.0.1:${through}/test`,
    close: () => server.close(),
  }
}

/** The stand-in forgets its tables, which DynamoDB does not. */
async function dynamodb(): Promise<FaultTarget> {
  const server = await startDynaliteProcess()
  const endpoint = new URL(new URL(server.url).searchParams.get('endpoint') ?? '')
  const start = async () => {
    await server.process.start()
    const store = createStore(server.url)
    await store.get('key')
    await store.close()
  }
  return {
    server: {
      start,
      kill: () => server.process.kill(),
      freeze: () => server.process.freeze(),
      thaw: () => server.process.thaw(),
    },
    port: Number(endpoint.port),
    url: (through) => server.url.replace(endpoint.port, String(through)),
    close: () => server.close(),
  }
}

/** PostgreSQL is many processes: one for each connection, all of which have to stop. */
async function postgres(): Promise<FaultTarget> {
  const server = await PostgresServer.start(component('postgresql').path)
  const signalAll = (signal: string) => {
    const pids = execFileSync('ps', ['-o', 'pid=', '--ppid', String(server.process.pid)])
    const all = [server.process.pid, ...String(pids).trim().split(/\s+/).map(Number)]
    for (const pid of all) process.kill(pid, signal)
  }
  return {
    server: {
      kill: () => server.crash(),
      start: () => server.process.start(),
      freeze: () => signalAll('SIGSTOP'),
      thaw: () => signalAll('SIGCONT'),
    },
    port: server.port,
    url: (through) => server.url.replace(String(server.port), String(through)),
    close: () => server.end(),
  }
}
