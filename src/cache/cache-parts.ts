import { chunked } from '../stores/chunked.ts'
import { guarded } from '../stores/guarded.ts'
import { isInMemory } from '../stores/in-memory.ts'
import { checkNamespace, checkStore } from '../stores/limits.ts'
import { memoryTier } from '../stores/memory-tier.ts'
import type { Store } from '../stores/store.ts'
import { CacheIntake, mostHeaderBytes } from './upstream/cache-intake.ts'
import { CollapsedCalls } from './upstream/collapsed-calls.ts'
import { FillLeases } from './upstream/fill-leases.ts'
import { Forwarder } from './upstream/forwarder.ts'
import type { ResponseCacheOptions } from './response-cache-options.ts'
import { mostVariants } from './stored/stored-entry.ts'
import { StoredResponses } from './stored/stored-responses.ts'

/** What there is of a cache once it has a store. */
export interface CacheParts {
  readonly responses: StoredResponses
  readonly forwarder: Forwarder
  readonly intake: CacheIntake
  /** `undefined`: each call is made. */
  readonly collapsed: CollapsedCalls | undefined
}

/** Seconds by which the store may delay a call. */
const deadline = { read: 0.15, write: 0.5 }

/** Seconds for which another process is taken to be busy with a call that has no limit of its own. */
const longest = 60

/** What stored responses take beside their bodies, at most. */
const headBytes = mostVariants * 2 * mostHeaderBytes

/** Puts a cache together over a store. Throws a `ConfigError` for what is none, or a bad namespace. */
export function cacheParts(store: Store, options: ResponseCacheOptions): CacheParts {
  const { namespace = 'behalf', maxEntryBytes = 5_242_880, mode = 'private', memory } = options
  const { staleWhileRevalidate, staleIfError, jitter = 0 } = options
  checkNamespace('responseCache: namespace', namespace)
  const checked = checkStore('responseCache', store)
  // Memory is there at once, or never.
  const limited = isInMemory(checked) ? checked : guarded(checked, { name: 'cache', deadline })
  const roomy = chunked(limited, { maxBytes: maxEntryBytes + headBytes })
  const near = memory ? memoryTier(roomy, memory) : roomy
  const responses = new StoredResponses(near, namespace, maxEntryBytes)
  // What another process has just stored is not in this one's memory.
  const shared = memory ? new StoredResponses(roomy, namespace, maxEntryBytes) : responses
  const allowance = { staleWhileRevalidate, staleIfError }
  const intake = new CacheIntake(responses, { kind: mode, jitter, maxEntryBytes, ...allowance })
  const forwarder = new Forwarder(intake)
  // With a guard of its own: who fills does not wait for those who look.
  const forLeases = guarded(checked, { name: 'cache', deadline })
  const collapse = { forwarder, responses: shared, leases: leasesOver(forLeases, options) }
  const collapsed = options.collapse === false ? undefined : new CollapsedCalls(collapse)
  return { responses, forwarder, intake, collapsed }
}

/** `undefined` where a process needs to agree with no other one. */
function leasesOver(store: Store, options: ResponseCacheOptions): FillLeases | undefined {
  const { collapse, namespace = 'behalf', hardTimeout = longest } = options
  if (collapse !== 'store' || store.reach === 'process') return undefined
  return new FillLeases(store, namespace, hardTimeout)
}
