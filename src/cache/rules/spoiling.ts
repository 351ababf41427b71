import type { CachedCall } from '../cached-call.ts'
import type { Spoiled } from './mutations.ts'
import type { Partition } from '../stored/partition.ts'
import type { StoredResponses, Where } from '../stored/stored-responses.ts'
import { tag } from '../stored/tag.ts'

/** Takes away what a write has spoiled: of who made it, and of what users share. */
export async function spoil(
  responses: StoredResponses,
  call: CachedCall,
  { urls, tags, stale }: Spoiled,
  placesOf: (url: string) => readonly Where[],
): Promise<void> {
  if ([urls, tags, stale.urls, stale.tags].every(({ length }) => length === 0)) return
  // The reply is there; a grant that cannot be read now is no reason to withhold it.
  const own = await readable(call)
  const partitions = [own, call.shared].filter((one) => one !== undefined)
  const inEach = <Name, Result>(
    names: readonly Name[],
    use: (one: Partition, name: Name) => Result,
  ) => partitions.flatMap((one) => names.map((name) => use(one, name)))
  const ofPartition = ({ id }: Partition, name: string) => tag(name, id)
  // A store that fails is passed by; it is passed by when it is read, too.
  await Promise.allSettled([
    ...inEach(urls.flatMap(placesOf), (one, where) => responses.forget(one, where)),
    ...inEach(stale.urls.flatMap(placesOf), (one, where) => responses.makeStale(one, where)),
    responses.invalidate(inEach(tags, ofPartition)),
    responses.ageTags(inEach(stale.tags, ofPartition)),
  ])
}

async function readable(call: CachedCall): Promise<Partition | undefined> {
  try {
    return await call.partition()
  } catch {
    return undefined
  }
}
