import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeFile } from 'node:fs/promises'
import { ServerProcess, freePort } from './server-process.ts'

/** The programs that speak Redis' protocol. */
export type RedisProgram = 'redis-server' | 'valkey-server'

export interface RunningRedis {
  url: string
  port: number
  server: ServerProcess
  /** Asks it with redis-cli and gives what that prints. */
  cli(...words: string[]): Promise<string>
  close(): Promise<void>
}

export interface RedisStart {
  /** Beyond those for the port and for keeping nothing on disk. */
  args?: readonly string[]
  program?: RedisProgram
  port?: number
  /** What redis-cli needs to be let in. */
  cliArgs?: readonly string[]
}

/** A server that keeps nothing on disk. */
export async function startRedis(options: RedisStart = {}): Promise<RunningRedis> {
  const { args = [], program = 'redis-server', cliArgs = [] } = options
  const port = options.port ?? (await freePort())
  const folder = mkdtempSync(join(tmpdir(), 'behalf-redis-'))
  const ownPort = args.includes('--tls-port') || args.includes('--unixsocket') ? [] : [port]
  const cli = (...words: string[]) => redisCli(['-p', String(port), ...cliArgs, ...words])
  const server = await ServerProcess.start({
    command: `/usr/bin/${program}`,
    args: [
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'no',
      ...ownPort.flatMap((number) => ['--port', String(number)]),
      ...args,
    ],
    ready: async () => (await cli('ping')).startsWith('PONG'),
  })
  const close = async () => {
    await server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  return { url: `redis://127.0.0.1:${port}`, port, server, cli, close }
}

export interface RunningCluster {
  nodes: RunningRedis[]
  /** Of a store: all nodes. */
  url: string
  /** The node that has the slot of a Redis key, and may write it. */
  masterOf(redisKey: string): Promise<RunningRedis>
  /** Waits until a replica has taken the place of a master that was lost. */
  promoted(): Promise<void>
  /** Waits until all nodes know each other and all replicas have caught up. */
  settled(): Promise<void>
  close(): Promise<void>
}

/** A Redis Cluster whose replicas have caught up, so that a master can be killed at once. */
export async function startRedisCluster(
  shape: { masters?: number; replicas?: number; program?: RedisProgram; args?: string[] } = {},
): Promise<RunningCluster> {
  const { masters = 3, replicas = 3, program = 'redis-server', args = [] } = shape
  const nodes = await Promise.all(
    (await clusterPorts(masters + replicas)).map((port) =>
      startRedis({ program, port, args: [...clusterArgs, ...args] }),
    ),
  )
  const close = async () => {
    await Promise.all(nodes.map((node) => node.close()))
  }
  try {
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
    await redisCli([
      '--cluster',
      'create',
      ...addresses,
      '--cluster-yes',
      '--cluster-replicas',
      String(replicas / masters),
    ])
    await settled(nodes, replicas)
    return {
      nodes,
      url: `redis://${addresses.join(',')}?cluster=true`,
      masterOf: (redisKey) => findMaster(nodes, redisKey),
      promoted: () => promoted(nodes, masters),
      settled: () => settled(nodes, replicas),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const clusterArgs = [
  '--cluster-enabled',
  'yes',
  '--cluster-config-file',
  'nodes.conf',
  '--cluster-node-timeout',
  '1000',
  '--repl-diskless-sync-delay',
  '0',
]

/** Free ones below 22000, because the bus listens at the port plus 10000. */
async function clusterPorts(count: number): Promise<number[]> {
  const found: number[] = []
  while (found.length < count) {
    const port = 11_000 + Math.floor(Math.random() * 11_000)
    if (!found.includes(port) && (await isFree(port)) && (await isFree(port + 10_000))) {
      found.push(port)
    }
  }
  return found
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** `cluster_state:ok` alone comes before replicas have caught up and before all know all. */
async function settled(nodes: readonly RunningRedis[], replicas: number): Promise<void> {
  await until(async () => {
    const views = await Promise.all(
      nodes.map(async ({ cli }) => {
        const [info, list, replication] = await Promise.all([
          cli('cluster', 'info'),
          cli('cluster', 'nodes'),
          cli('info', 'replication'),
        ])
        return (
          info.includes('cluster_state:ok') &&
          list.split(' connected').length - 1 === nodes.length &&
          list.split('slave').length - 1 === replicas &&
          !replication.includes('master_link_status:down')
        )
      }),
    )
    return views.every(Boolean)
  })
}

async function promoted(nodes: readonly RunningRedis[], masters: number): Promise<void> {
  await until(async () => {
    const states = await Promise.all(
      nodes
        .map(async ({ cli }) => {
          const [role, info] = await Promise.all([cli('role'), cli('cluster', 'info')])
          return role.startsWith('master') && info.includes('cluster_state:ok')
        })
        .map((state) => state.catch(() => false)),
    )
    return states.filter(Boolean).length === masters
  })
}

async function findMaster(nodes: readonly RunningRedis[], key: string): Promise<RunningRedis> {
  for (const node of nodes) {
    const answer = await node.cli('get', key).catch(() => 'ERR')
    const role = await node.cli('role').catch(() => '')
    if (role.startsWith('master') && !/^(?:MOVED|CLUSTERDOWN|ERR)/.test(answer)) return node
  }
  throw new Error(`No node has the slot of ${key}.`)
}

export interface RunningSentinels {
  master: RunningRedis
  replica: RunningRedis
  sentinels: RunningRedis[]
  /** Of a store: all sentinels. */
  url: string
  close(): Promise<void>
}

/** A master, a replica and three sentinels that know both; takes some 10 s to be ready. */
export async function startSentinel(
  program: RedisProgram = 'redis-server',
): Promise<RunningSentinels> {
  const master = await startRedis({ program, args: replicating })
  const followArgs = ['--replicaof', `127.0.0.1 ${master.port}`, ...replicating]
  const replica = await startRedis({ program, args: followArgs })
  const sentinels = await Promise.all([0, 1, 2].map(() => startOneSentinel(program, master.port)))
  const close = async () => {
    await Promise.all([master, replica, ...sentinels].map((server) => server.close()))
  }
  try {
    await until(async () => (await replica.cli('role')).includes('connected'))
    await until(async () => (await Promise.all(sentinels.map(knowsAll))).every(Boolean))
  } catch (error) {
    await close()
    throw error
  }
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')
  return { master, replica, sentinels, url: `redis://${hosts}/0?sentinel=mymaster`, close }
}

const replicating = ['--repl-diskless-sync-delay', '0']

async function startOneSentinel(program: RedisProgram, masterPort: number): Promise<RunningRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'behalf-sentinel-'))
  const file = join(folder, 'sentinel.conf')
  await writeFile(
    file,
    [
      `sentinel monitor mymaster 127.0.0.1 ${masterPort} 2`,
      'sentinel down-after-milliseconds mymaster 1000',
      'sentinel failover-timeout mymaster 3000',
    ].join('\n'),
  )
  const port = await freePort()
  const server = await ServerProcess.start({
    command: `/usr/bin/${program}`,
    args: [file, '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--sentinel'],
    ready: async () => (await redisCli(['-p', String(port), 'ping'])).startsWith('PONG'),
  })
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    server,
    cli: (...words) => redisCli(['-p', String(port), ...words]),
    close: async () => {
      await server.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function knowsAll({ cli }: RunningRedis): Promise<boolean> {
  const answer = (await cli('sentinel', 'master', 'mymaster')).split('\n')
  const valueOf = (name: string) => answer[answer.indexOf(name) + 1]
  return valueOf('num-slaves') === '1' && valueOf('num-other-sentinels') === '2'
}

/** Waits until the replicas of a master have what was written; WAIT asks about its own client only. */
export async function replicated(master: RunningRedis): Promise<void> {
  await until(async () => {
    const info = await master.cli('info', 'replication')
    const written = /^master_repl_offset:(\d+)/m.exec(info)?.[1]
    const offsets = [...info.matchAll(/^slave\d+:.*,offset=(\d+),/gm)].map(([, offset]) => offset)
    return offsets.length > 0 && offsets.every((offset) => offset === written)
  })
}

async function redisCli(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('redis-cli', [...args], { timeout: 30_000 })
  return stdout
}

/** Asks again and again until it is so. */
export async function until(isSo: () => Promise<boolean>, patience = 30): Promise<void> {
  const giveUpAt = performance.now() + patience * 1000
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > giveUpAt) throw new Error(`It was not so within ${patience} s.`)
    await sleep(50)
  }
}
