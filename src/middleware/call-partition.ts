import type { CachePartition, ResponseCache } from '../cache/index.ts'
import { grantPartition, type Partition, subjectPartition } from '../cache/stored/partition.ts'
import { ConfigError } from '../errors.ts'
import type { TokenHandler } from '../oauth/token-handler.ts'
import type { TokenRecord } from '../oauth/token-record.ts'
import type { App } from './app.ts'

/** Where a provider's replies to one user are kept: by the grant, or by whom it is for. */
export async function callPartition(
  app: App,
  tokens: TokenHandler,
  per: ResponseCache['partition'],
): Promise<Partition> {
  const { record } = await tokens.found()
  const { provider, profile, scope } = record
  if (record.isApp || per === 'grant') return partitionOf(record)
  return subjectPartition(app.access(provider).provider, profile.subject, scope, cacheKeyOf(app))
}

/** A record that is as it was is the same object, and to name its partition takes an HMAC. */
const partitions = new WeakMap<TokenRecord, Partition>()

function partitionOf(record: TokenRecord): Partition {
  const known = partitions.get(record)
  if (known) return known
  const made = grantPartition(record.provider, record.grantId, record.cacheKey)
  partitions.set(record, made)
  return made
}

/** As {@link callPartition}, with its repositories, for the app. */
export async function visitorPartition(
  app: App,
  tokens: TokenHandler,
  cache: ResponseCache | undefined,
): Promise<CachePartition> {
  if (!cache) {
    throw new ConfigError(
      'cachePartition() was called and there is no response cache: give behalf() the option cache, or mount responseCache() before this route.',
    )
  }
  return cache.partitionOf(await callPartition(app, tokens, cache.partition))
}

/** The key of what does not belong to one grant. */
export function cacheKeyOf({ keyRing }: App): Uint8Array {
  return keyRing.derive('response cache')
}
