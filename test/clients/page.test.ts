import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const folder = new URL('.', import.meta.url)
const page = readFileSync(new URL('../../docs/clients.md', folder), 'utf8')
const manifest = JSON.parse(readFileSync(new URL('../../package.json', folder), 'utf8')) as {
  exports: Record<string, string>
  devDependencies: Record<string, string>
}

/** The tests of the clients, as text. */
const programs = readdirSync(folder)
  .filter((name) => name.endsWith('.test.ts') && name !== 'page.test.ts')
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))

/** What stands between the markers of a program, moved to the left margin. */
function marked(program: string): string[] {
  const pieces = program.matchAll(
    /( *)\/\/ docs\/clients\.md: begin\n(.*?) *\/\/ docs\/clients\.md: end/gs,
  )
  return [...pieces].map(([, indent, code]) => code!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
}

/** The imports of a block and the code below them. */
function partsOf(block: string): { imports: string[]; code: string } {
  const lines = block.split('\n')
  const imports = lines.filter((line) => line.startsWith('import '))
  const code = lines.filter((line) => !line.startsWith('import ')).join('\n')
  return { imports, code: code.replace(/^\n+/, '') }
}

/** An import of the package as a test of the package writes it. */
function fromSource(line: string): string {
  return line.replace(/'behalf(\/[^']*)?'/, (_name, entry: string | undefined) => {
    const built = manifest.exports[`.${entry ?? ''}`]!
    return `'${built.replace('./dist/', '../../src/').replace(/\.js$/, '.ts')}'`
  })
}

const blocks = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, block]) => partsOf(block!))

describe('docs/clients.md', () => {
  test('shows the code that is tested, all of it and no other', () => {
    const shown = blocks.map(({ code }) => code).toSorted()
    expect(shown).toEqual(programs.flatMap(marked).toSorted())
  })

  test.each(blocks.flatMap(({ imports, code }) => imports.map((line) => ({ line, code }))))(
    'has an import that works: $line',
    ({ line, code }) => {
      const [, names, source] = /^import (.+) from ('.+')$/.exec(fromSource(line))!
      const program = programs.find((text) => marked(text).includes(code))!
      const [, imported] = new RegExp(`^import (.+) from ${source}$`, 'm').exec(program)!
      expect(imported!.split(/\W+/)).toEqual(expect.arrayContaining(names!.split(/\W+/)))
    },
  )

  test('has a row for each client that is tested, with its version', () => {
    const rows = [...page.matchAll(/^\| \[([^\]]+)\]\([^)]+\) \| ([\d.]+) \|/gm)]
    const named = rows.map(([, name, version]) => `${name} ${version}`)
    const tested = programs
      .flatMap((program) => /^describeClient\('([^']+)'/m.exec(program)?.[1] ?? [])
      .map((name) => `${name} ${manifest.devDependencies[name]}`)
    expect(named.toSorted()).toEqual(tested.toSorted())
  })
})
