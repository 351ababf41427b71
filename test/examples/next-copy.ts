import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { Page, project } from './page.ts'

/** Made by builds and servers, or of no use to them. */
const left = new Set(['.next', 'next-env.d.ts', 'node_modules', 'screenshot.png'])

/** The Next.js example in a folder of its own, where its files can be changed. */
export class NextCopy {
  readonly #root: string

  /** With a name it is in the same place at each run, and what a build keeps for the next stays there. */
  constructor(name?: string) {
    const root = join(project, 'test/examples/.next-copy-')
    this.#root = name === undefined ? mkdtempSync(root) : `${root}${name}`
    for (const old of existsSync(this.folder) ? readdirSync(this.folder) : []) {
      if (old !== '.next') rmSync(join(this.folder, old), { recursive: true })
    }
    const filter = (path: string) => !left.has(basename(path))
    const from = join(project, 'examples')
    cpSync(from, join(this.#root, 'examples'), { recursive: true, filter })
  }

  get folder(): string {
    return join(this.#root, 'examples/next')
  }

  /** Changes a file by its text. */
  edit(path: string, change: (text: string) => string): void {
    const file = join(this.folder, path)
    const before = readFileSync(file, 'utf8')
    const after = change(before)
    if (after === before) throw new Error(`${path} is as it was before.`)
    writeFileSync(file, after)
  }

  /** Applies what docs/next.md shows as a diff, and no more. */
  applyTheDiffOfTheDocs(): void {
    const blocks = [...new Page('docs/next.md').text.matchAll(/^```diff\n(.*?)^```$/gms)]
    if (blocks.length !== 1) throw new Error('docs/next.md has one diff.')
    const [, name, hunks] = /^ \/\/ (\S+)\n(.*)$/s.exec(blocks[0]![1]!)!
    this.edit(name!, (text) => hunks!.split('@@\n').reduce(applied, text))
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}

/** One hunk, whose lines are found once or not at all. */
function applied(text: string, hunk: string): string {
  const lines = hunk.split('\n').filter(Boolean)
  const side = (without: string) =>
    lines
      .filter((line) => line[0] !== without)
      .map((line) => `${line.slice(1)}\n`)
      .join('')
  const parts = text.split(side('+'))
  if (parts.length !== 2) throw new Error(`Found ${parts.length - 1} times:\n${side('+')}`)
  return parts.join(side('-'))
}
