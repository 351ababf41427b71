import { execFile, execFileSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const programs = join(root, 'test/consumers')

/** What a program printed, and how it ended. */
export interface Ended {
  /** `null` when it was killed because it took too long. */
  code: number | null
  stdout: string
  stderr: string
}

/** A project that has the packed package installed, in a folder where nothing of this one is found. */
export class PackedConsumer {
  readonly folder = mkdtempSync(join(tmpdir(), 'behalf-consumer-'))
  /** What it can import: `behalf`, `behalf/express`, and so on; what needs Next.js is next-packed.test.ts's. */
  readonly entryPoints: readonly string[]

  /**
   * Packs what `npm run build` made; installs it and `packages`, with what they need in turn; `modules`
   * is a folder of packages that it has already.
   */
  constructor(packages: readonly string[], modules?: string) {
    if (modules !== undefined) install(modules, join(this.folder, 'node_modules'))
    const behalf = join(this.folder, 'node_modules/behalf')
    mkdirSync(behalf, { recursive: true })
    const pack = ['pack', '--silent', '--pack-destination', this.folder]
    const packed = execFileSync('npm', pack, { cwd: root, encoding: 'utf8' }).trim()
    const archive = join(this.folder, packed)
    execFileSync('tar', ['-xzf', archive, '-C', behalf, '--strip-components=1'])
    const needed = new Set([...dependenciesOf(behalf), ...packages])
    // A Set gives what is added to it while it is walked through.
    for (const name of needed) {
      const from = join(root, 'node_modules', name)
      for (const dependency of dependenciesOf(from)) needed.add(dependency)
      install(from, join(this.folder, 'node_modules', name))
    }
    cpSync(programs, this.folder, { recursive: true })
    this.entryPoints = Object.keys(manifestOf(behalf).exports ?? {})
      .filter((entry) => entry !== './package.json' && entry !== './next')
      .map((entry) => `behalf${entry.slice(1)}`)
  }

  /** Runs a program in the consumer's folder; after a minute it is killed. */
  run(program: string, args: readonly string[]): Promise<Ended> {
    const { NODE_OPTIONS: _, ...env } = process.env
    return new Promise((resolve) => {
      execFile(
        program,
        args,
        { cwd: this.folder, env, timeout: 60_000, killSignal: 'SIGKILL' },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null
          resolve({ code, stdout, stderr })
        },
      )
    })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** As links to the same files where it is one disk: Next.js alone has 10,000, and nobody writes into them. */
function install(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) install(source, target)
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else link(source, target)
  }
}

function link(source: string, target: string): void {
  try {
    linkSync(source, target)
  } catch {
    copyFileSync(source, target)
  }
}

interface Manifest {
  dependencies?: Record<string, string>
  exports?: Record<string, string>
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** The names of what a package needs; what npm put into its own folder comes along with it. */
function dependenciesOf(folder: string): string[] {
  const names = Object.keys(manifestOf(folder).dependencies ?? {})
  return names.filter((name) => existsSync(join(root, 'node_modules', name)))
}
