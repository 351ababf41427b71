import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const cache = join(root, 'node_modules/.cache')
const folders = new Set<string>()
const built = new Map<string, Promise<string>>()

/**
 * A program of this folder as JavaScript: a process of it starts in a third of the time that it
 * takes with a loader, and thousands of them are killed. Gone when this process exits; what ends
 * without an exit, such as a test worker, calls {@link removeBuiltPrograms}.
 */
export function builtProgram(name: string): Promise<string> {
  const program = built.get(name) ?? build(name)
  built.set(name, program)
  return program
}

/** Deletes what {@link builtProgram} has made. */
export function removeBuiltPrograms(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  folders.clear()
  built.clear()
}

async function build(name: string): Promise<string> {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'behalf-torture-'))
  if (folders.size === 0) process.once('exit', removeBuiltPrograms)
  folders.add(folder)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  const configuration = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { noEmit: false, noCheck: true, rootDir: root, outDir: folder },
    files: [join(root, `test/torture/${name}.ts`)],
    include: [],
  }
  const file = join(folder, 'tsconfig.json')
  writeFileSync(file, JSON.stringify(configuration))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', file], { cwd: root })
  return join(folder, `test/torture/${name}.js`)
}
