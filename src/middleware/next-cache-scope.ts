import { UserInSharedCacheError } from '../errors.ts'

/** Where Next.js notes what is being rendered, as much of it as is read here. */
interface RenderScopes {
  getStore(): { type?: string } | undefined
}

/** What keeps its results for everybody; `'use cache: private'` keeps them in one browser. */
const shared: Readonly<Record<string, string>> = {
  cache: "'use cache'",
  'unstable-cache': 'unstable_cache()',
}

const place = 'next/dist/server/app-render/work-unit-async-storage.external.js'
let scopes: RenderScopes | undefined | 'unknown'

/**
 * Throws a `UserInSharedCacheError` inside `'use cache'` and `unstable_cache()`: what a user's client
 * brings there would be served to others, and outlive the grant.
 */
export function refuseSharedCache(): void {
  scopes ??= scopesOfNext() ?? 'unknown'
  if (scopes === 'unknown') return
  const kind = shared[scopes.getStore()?.type ?? '']
  if (kind !== undefined) throw new UserInSharedCacheError(kind)
}

/** It is Next's own matter where it keeps them: a version without this place does without the check. */
function scopesOfNext(): RenderScopes | undefined {
  try {
    const { createRequire } = process.getBuiltinModule('node:module')
    const found = createRequire(import.meta.url)(place) as { workUnitAsyncStorage?: RenderScopes }
    return found.workUnitAsyncStorage
  } catch {
    return undefined
  }
}
