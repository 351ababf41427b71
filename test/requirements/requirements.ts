import { readdirSync, readFileSync } from 'node:fs'

/** A line of docs/requirements.md, and the titles of the tests that begin with its id. */
export interface Requirement {
  id: string
  level: 'M' | 'S'
  text: string
  tests: readonly string[]
}

const project = new URL('../../', import.meta.url)

/** All requirements in their order on the page. */
export function requirements(): Requirement[] {
  const titles = testTitles()
  const page = readFileSync(new URL('docs/requirements.md', project), 'utf8')
  return [...page.matchAll(/^\| ([A-Z]+-\d+) \| (.+?) \| ([MS]) \|/gm)].map(
    ([, id, text, level]) => ({
      id: id!,
      text: text!,
      level: level as 'M' | 'S',
      tests: titles.filter((title) => idsOf(title).includes(id!)),
    }),
  )
}

/** A title may begin with several ids. */
function idsOf(title: string): string[] {
  return /^(?:%s )?((?:[A-Z]+-\d+ )+)/.exec(title)?.[1]!.trim().split(' ') ?? []
}

/** What is written as the title of a `test` or a `describe`, its placeholders as they stand. */
function testTitles(): string[] {
  const folder = new URL('test/', project)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const source = readFileSync(new URL(file, folder), 'utf8')
      return [...source.matchAll(title)].map((found) => found.groups!['text']!)
    })
}

const title =
  /(?:\b(?:test|describe|it)\b[^'"`\n]*\(|\)\(|^)\s*(?<quote>['"`])(?<text>(?:%s )?[A-Z]{2,3}-\d+ .*?)\k<quote>,/gm
