import { readdirSync, readFileSync } from 'node:fs'
import { hostileRows } from '../hostile.ts'

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

/** A flaw that somebody else's library had, and the titles of the tests that name it. */
export interface Advisory {
  id: string
  tests: readonly string[]
}

/** All of docs/advisories.md, in their order there. */
export function advisories(): Advisory[] {
  const titles = [...testTitles(anyTitle), ...rowNotes()]
  const page = readFileSync(new URL('docs/advisories.md', project), 'utf8')
  const ids = page.match(/\b(?:CVE-\d{4}-\d+|GHSA(?:-\w{4}){3})\b/g) ?? []
  return [...new Set(ids)].map((id) => ({ id, tests: titles.filter((text) => text.includes(id)) }))
}

/** What the titles of the tests over hostile.json say of the callback's rows. */
function rowNotes(): string[] {
  return hostileRows('callback').map(({ id, expect: { note } }) => `${id} ${note ?? ''}`)
}

/** A title may begin with several ids. */
function idsOf(title: string): string[] {
  return /^(?:%s )?((?:[A-Z]+-\d+ )+)/.exec(title)?.[1]!.trim().split(' ') ?? []
}

/** What is written as the title of a `test` or a `describe`, its placeholders as they stand. */
function testTitles(pattern: RegExp = title): string[] {
  const folder = new URL('test/', project)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const source = readFileSync(new URL(file, folder), 'utf8')
      return [...source.matchAll(pattern)].map((found) => found.groups!['text']!)
    })
}

const anyTitle = /(?<quote>['"`])(?<text>[^\n]*?)\k<quote>,/g
const title =
  /(?:\b(?:test|describe|it)\b[^'"`\n]*\(|\)\(|^)\s*(?<quote>['"`])(?<text>(?:%s )?[A-Z]{2,3}-\d+ .*?)\k<quote>,/gm
