import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const project = fileURLToPath(new URL('../../', import.meta.url))

/** A page of the documentation, as a reader sees it. */
export class Page {
  readonly text: string

  /** `path` begins at the project's folder. */
  constructor(path: string) {
    this.text = readFileSync(`${project}${path}`, 'utf8')
  }

  /** The TypeScript blocks, in order. */
  get snippets(): string[] {
    return [...this.text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!)
  }

  /** What `#` in a link can name, as GitHub makes it of the headings. */
  get anchors(): string[] {
    const headings = [...this.#prose.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!)
    return headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    )
  }

  /** Where its links and pictures lead to. */
  get links(): string[] {
    const prose = this.#prose.replaceAll(/`[^`\n]*`/g, '')
    return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
  }

  /** The rows of its tables, cell by cell, without their heads. */
  get rows(): string[][] {
    const lines = this.#prose.split('\n')
    const isRule = (line: string | undefined) => /^\|[-|]+$/.test(line ?? '')
    const rows = lines.filter(
      (line, at) => line.startsWith('|') && !isRule(line) && !isRule(lines[at + 1]),
    )
    return rows.map((row) =>
      row
        .slice(1, row.lastIndexOf('|'))
        .split('|')
        .map((cell) => cell.trim()),
    )
  }

  get #prose(): string {
    return this.text.replaceAll(/^```.*?^```$/gms, '')
  }
}

/** The texts in backticks. */
export function codeIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)
}
