import type { CachePartition, ResponseCache } from '../cache/index.ts'
import { grantPartition, type Partition, subjectPartition } from '../cache/stored/partition.ts'
import { ConfigError } from '../errors.ts'
import type { TokenHandler } from '../oauth/token-handler.ts'
import type { App } from './app.ts'

/** Where a provider's replies to one user are kept: by the grant, or by whom it is for. */
export async function callPartition(
  app: App,
  tokens: TokenHandler,
  per: ResponseCache['partition'],
): Promise<Partition> {
  const { provider, grantId, cacheKey, profile, scope, isApp } = (await tokens.found()).record
  if (isApp || per === 'grant') return grantPartition(provider, grantId, cacheKey)
  return subjectPartition(app.access(provider).provider, profile.subject, scope, cacheKeyOf(app))
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
