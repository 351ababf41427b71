import { spoiledUrls } from '../http/invalidation.ts'
import type { Fields } from '../http/received.ts'
import type { CompiledRule, CompiledRules } from './rules.ts'
import type { Asked } from '../stored/stored-responses.ts'

/** What a write spoils: stored responses by URL, and by the tags that they hang on. */
export interface Spoiled {
  readonly urls: readonly string[]
  readonly tags: readonly string[]
  /** By rules with `soft: true`. */
  readonly stale: { readonly urls: readonly string[]; readonly tags: readonly string[] }
}

/** What a request spoils by itself (RFC 9111 section 4.4), and by the rules that it matches. */
export function spoiledBy(
  { method, url }: Asked,
  reply: { readonly headers: Fields } | undefined,
  ...lists: readonly CompiledRules[]
): Spoiled {
  const rules = lists.flat().filter((rule) => isMutation(rule, method, url))
  const namedBy = (isSoft: boolean) => {
    const named = rules.filter(({ soft = false }) => soft === isSoft)
    return {
      urls: named.flatMap((rule) => pathsOf(rule, url)),
      tags: named.flatMap(({ invalidates = [] }) => invalidates.filter((name) => !isPath(name))),
    }
  }
  const hard = namedBy(false)
  const urls = [...new Set([...spoiledUrls(url, reply), ...hard.urls])]
  return { urls, tags: hard.tags, stale: namedBy(true) }
}

function isMutation({ invalidates, method, pattern }: CompiledRule, made: string, url: string) {
  if (!invalidates) return false
  const methods = method === undefined ? [made] : [method].flat()
  return methods.includes(made) && pattern.test(url)
}

/** A path's `:name` stands for what the rule's pattern has found there. */
function pathsOf({ invalidates = [], pattern }: CompiledRule, url: string): string[] {
  const groups = pattern.exec(url)?.pathname.groups ?? {}
  return invalidates.filter(isPath).map(
    (path) =>
      new URL(
        path.replace(/:(\w+)/g, (whole, name: string) => groups[name] ?? whole),
        url,
      ).href,
  )
}

function isPath(name: string): boolean {
  return name.startsWith('/')
}
