import { ApiError } from './api-error.ts'
import { folded, searchFields } from './catalogue-search.ts'
import type { SearchField, SearchTerms } from './catalogue-search.ts'

const maxLength = 250

/**
 * Reads the `q` of a search: words, and filters such as `artist:juniper vale year:1999-2004`. A
 * filter's value goes on to the next filter; quotes are of no consequence.
 */
export function searchTerms({ searchParams }: URL): SearchTerms {
  const q = searchParams.get('q') ?? ''
  if (q.trim() === '') throw new ApiError(400, 'No search query')
  if (q.length > maxLength) {
    throw new ApiError(400, `Query exceeds maximum length of ${maxLength} characters`)
  }
  const [words = '', ...filters] = folded(q.replaceAll('"', ' ')).split(filterStart)
  const values = new Map<SearchField, string>()
  for (let at = 0; at < filters.length; at += 2) {
    values.set(filters[at] as SearchField, onlyWords(filters[at + 1] ?? '').join(' '))
  }
  return { words: onlyWords(words), filters: values }
}

const filterStart = new RegExp(`(?<![^\\s])(${searchFields.join('|')}):`)

function onlyWords(text: string): string[] {
  return text.split(/\s+/).filter(Boolean)
}
