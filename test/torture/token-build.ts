import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const cache = join(root, 'node_modules/.cache')

let built: Promise<string> | undefined
let folder: string | undefined

/**
 * The program of `token-program.ts` as JavaScript: a process of it starts in a third of the time
 * that it takes with a loader, and thousands of them are killed. Gone when this process exits; what
 * may be killed itself, such as a test worker, calls {@link removeTokenProgram}.
 */
export function buildTokenProgram(): Promise<string> {
  return (built ??= build())
}

/** Deletes what {@link buildTokenProgram} has made. */
export function removeTokenProgram(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
}

async function build(): Promise<string> {
  mkdirSync(cache, { recursive: true })
  folder = mkdtempSync(join(cache, 'behalf-torture-'))
  process.once('exit', removeTokenProgram)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  const configuration = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { noEmit: false, noCheck: true, rootDir: root, outDir: folder },
    files: [join(root, 'test/torture/token-program.ts')],
    include: [],
  }
  const file = join(folder, 'tsconfig.json')
  writeFileSync(file, JSON.stringify(configuration))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', file], { cwd: root })
  return join(folder, 'test/torture/token-program.js')
}
