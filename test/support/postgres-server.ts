import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { ServerProcess, freePort } from './server-process.ts'

/** A PostgreSQL of the tests' own, in a folder that {@link PostgresServer.end} deletes. */
export class PostgresServer {
  readonly port: number
  readonly process: ServerProcess
  readonly #folder: string

  private constructor(server: ServerProcess, folder: string, port: number) {
    this.process = server
    this.#folder = folder
    this.port = port
  }

  /** `binary` is the `postgres` program; `initdb` is looked for beside it. */
  static async start(binary: string, settings: readonly string[] = []): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'behalf-postgres-'))
    const owner = serverUser()
    if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid ?? -1)
    chmodSync(folder, 0o700)
    const data = join(folder, 'data')
    initialize(dirname(binary), folder, owner)
    const port = await freePort()
    const options = [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${folder}`,
      'fsync=off',
      'full_page_writes=off',
      'max_connections=300',
      'shared_buffers=32MB',
      ...settings,
    ]
    const server = await ServerProcess.start({
      command: binary,
      args: ['-D', data, ...options.flatMap((option) => ['-c', option])],
      cwd: folder,
      ready: () => answers(port),
      ...owner,
    })
    return new PostgresServer(server, folder, port)
  }

  /** Of the superuser, whose password is {@link password}. */
  get url(): string {
    return `postgres://tester:${password}@127.0.0.1:${this.port}/postgres`
  }

  /** Where its Unix socket is. */
  get folder(): string {
    return this.#folder
  }

  /** Runs one statement on a connection of its own. */
  async query(sql: string, values: unknown[] = []): Promise<pg.QueryResult> {
    const client = new pg.Client(this.url)
    await client.connect()
    try {
      return await client.query(sql, values)
    } finally {
      await client.end()
    }
  }

  /** All connections that clients have at this moment, but for the one that asks. */
  async connections(): Promise<Array<{ pid: number; query: string }>> {
    const { rows } = await this.query(
      `SELECT pid, query FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    )
    return rows
  }

  /** Holds the lock of a row until the function it gives is called. */
  async lockRow(table: string, key: string): Promise<() => Promise<void>> {
    const client = new pg.Client(this.url)
    await client.connect()
    await client.query('BEGIN')
    await client.query(`SELECT 1 FROM ${table} WHERE key = $1 FOR UPDATE`, [key])
    return async () => {
      await client.query('ROLLBACK')
      await client.end()
    }
  }

  /** What a crash looks like, to clients and to the data: all of its processes end at once. */
  async crash(): Promise<void> {
    const { pid } = this.process
    process.kill(pid, 'SIGQUIT')
    while (isAlive(pid)) await sleep(10)
  }

  async end(): Promise<void> {
    await this.crash()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** What no error, event or log may repeat. */
export const password = 'pw-5ecret-of-tester'

type ServerUser = { uid?: number; gid?: number }

/** PostgreSQL refuses to run as root. */
function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return {}
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'])))
  return { uid: uid!, gid: gid! }
}

function initialize(programs: string, folder: string, owner: ServerUser): void {
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o644 })
  const options = ['-A', 'scram-sha-256', '-U', 'tester', `--pwfile=${passwordFile}`]
  const encoding = ['-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']
  execFileSync(join(programs, 'initdb'), ['-D', join(folder, 'data'), ...options, ...encoding], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...owner,
  })
}

async function answers(port: number): Promise<boolean> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'tester',
    password,
    database: 'postgres',
    connectionTimeoutMillis: 1000,
  })
  client.on('error', () => {})
  await client.connect()
  await client.end()
  return true
}
