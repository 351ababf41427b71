import { hash, createHmac } from 'node:crypto'

/** Whose replies: what is stored in one partition is never found from another. */
export interface Partition {
  /** Names the partition in keys; tells nothing of whom it belongs to. */
  readonly id: string
  /** 32 bytes; seals stored responses where they leave the process. */
  readonly key: Uint8Array
}

/** The partition of a grant: it stays the same over token refreshes and ends with the grant. */
export function grantPartition(provider: string, grantId: string, cacheKey: Uint8Array): Partition {
  const name = JSON.stringify(['partition', provider, grantId])
  return { id: createHmac('sha256', cacheKey).update(name).digest('base64url'), key: cacheKey }
}

/**
 * A stored response's key: namespace, partition and hash of an injective tuple. HEAD looks up GET.
 * The partition's part lets a store see what belongs together; it tells no two of them apart.
 */
export function responseKey(namespace: string, partition: Partition, request: Request): string {
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const url = new URL(request.url)
  url.hash = ''
  const tuple = JSON.stringify([formatVersion, partition.id, method, url.href])
  return `${namespace}:response:${digest(partition.id).slice(0, 12)}:${digest(tuple)}`
}

function digest(text: string): string {
  return hash('sha256', text, 'hex')
}

const formatVersion = 1
