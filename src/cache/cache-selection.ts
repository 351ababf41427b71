import { ConfigError } from '../errors.ts'
import { withoutValues } from './cache-events.ts'
import { freshFor } from './http/reuse.ts'
import type { Partition } from './stored/partition.ts'
import type { StoredResponse } from './stored/stored-response.ts'
import { repositoryTag } from './rules/repository-places.ts'
import type { StoredResponses, Where } from './stored/stored-responses.ts'
import { tag } from './stored/tag.ts'
import { parsedUrl } from '../parsed-url.ts'

/** What is to go: all criteria together. */
export interface CacheSelection {
  /** Any of these tags. */
  tags?: readonly string[] | undefined
  /** All of this repository. */
  repository?: string | undefined
  /** Stored for GET of this URL, in all variants; needs `partition`. */
  url?: string | undefined
  /** Stored longer ago than so many seconds. */
  olderThan?: number | undefined
  /** No longer fresh (`true`), or fresh (`false`). */
  expired?: boolean | undefined
  /** Whose; without it everybody's. */
  partition?: Partition | undefined
  /** Makes what has these tags, or this URL, stale instead: it is asked about before its next use. */
  soft?: boolean | undefined
}

/** Checks a selection; gives what is told of it. Throws a `ConfigError`. */
export function checkSelection(selection: CacheSelection): {
  urls: readonly string[]
  tags: readonly string[]
  soft: boolean
} {
  const { tags: named = [], repository, url, partition, soft = false, olderThan } = selection
  const tags = tagsOf(selection)
  const complain = (what: string) => new ConfigError(`cache.delete: ${what}.`)
  if (!tags.length && url === undefined && !needsList(selection)) {
    throw complain('name tags, repository, url, olderThan or expired; clear() takes everything')
  }
  if (olderThan !== undefined && !(olderThan >= 0)) {
    throw complain('olderThan must be a number of seconds, 0 or more')
  }
  if (url !== undefined && (!partition || !parsedUrl(url))) {
    throw complain('url must be a whole URL, and needs partition: whose reply it is')
  }
  if (soft && repository !== undefined && named.length > 0) {
    throw complain('soft goes with repository alone')
  }
  if (soft && (needsList(selection) || (url !== undefined && tags.length > 0))) {
    throw complain('soft goes with tags alone, or with url alone')
  }
  return { urls: url === undefined ? [] : [withoutValues(url)], tags, soft }
}

/** Takes away what a checked selection names. Rejects as the store does. */
export async function deleteSelected(
  responses: StoredResponses,
  selection: CacheSelection,
  placesOf: (url: string) => readonly Where[],
): Promise<void> {
  const { url, partition, soft = false } = selection
  const tags = tagsOf(selection)
  const isOneKind =
    url === undefined ? selection.repository === undefined || !selection.tags : tags.length === 0
  if (needsList(selection) || !isOneKind) return deleteListed(responses, selection)
  if (url === undefined) {
    const named = tags.map((name) => tag(name, partition?.id))
    return soft ? responses.ageTags(named) : responses.invalidate(named)
  }
  for (const where of placesOf(new URL(url).href)) {
    await (soft ? responses.makeStale(partition!, where) : responses.forget(partition!, where))
  }
}

function tagsOf({ tags = [], repository }: CacheSelection): readonly string[] {
  return repository === undefined ? tags : [...tags, repositoryTag(repository)]
}

function needsList({ olderThan, expired }: CacheSelection): boolean {
  return olderThan !== undefined || expired !== undefined
}

/** An entry goes with all its variants. */
async function deleteListed(responses: StoredResponses, selection: CacheSelection): Promise<void> {
  const doomed = new Set<string>()
  for await (const { key, response } of responses.list(selection.partition)) {
    if (isSelected(response, selection, Date.now())) doomed.add(key)
  }
  for (const key of doomed) await responses.remove(key)
}

function isSelected(response: StoredResponse, selection: CacheSelection, now: number): boolean {
  const { tags, repository, url, olderThan, expired } = selection
  if (repository !== undefined && response.item?.repository !== repository) return false
  if (tags && !tags.some((name) => response.tags.includes(name))) return false
  if (url !== undefined && new URL(url).href !== response.url) return false
  if (olderThan !== undefined && now - response.receivedAt <= olderThan * 1000) return false
  return expired === undefined || expired === freshFor(response, now) <= 0
}
