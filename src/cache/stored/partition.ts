import { hash, createHmac } from 'node:crypto'

/** Whose replies: what is stored in one partition is never found from another. */
export interface Partition {
  /** Names the partition in keys; tells nothing of whom it belongs to. */
  readonly id: string
  /** What keys of this partition have in common; a store sees by it what belongs together. */
  readonly name: string
  /** Makes HMACs of the request fields that Vary selects by. */
  readonly key: Uint8Array
  /** Stored responses are sealed with the key where they leave the process. */
  readonly sealed: boolean
}

/** The partition of a grant: it stays the same over token refreshes and ends with the grant. */
export function grantPartition(provider: string, grantId: string, cacheKey: Uint8Array): Partition {
  return partition(['partition', provider, grantId], cacheKey)
}

/** Whose users they are. The name is the app's, and may come to stand for another issuer. */
export interface Authority {
  readonly name: string
  readonly issuer: string
}

/**
 * The partition of a user at a provider, for all grants of one scope: replies depend on what may be
 * read. Equal subjects of two issuers are two people. `key` is the app's; what is stored there
 * outlives the grant.
 */
export function subjectPartition(
  { name, issuer }: Authority,
  subject: string,
  scope: readonly string[],
  key: Uint8Array,
): Partition {
  return partition(['subject', name, issuer, subject, scope.toSorted()], key)
}

/** The partition of what a provider's users share. */
export function sharedPartition({ name, issuer }: Authority, key: Uint8Array): Partition {
  return partition(['shared', name, issuer], key)
}

/** A partition named by the app; `undefined` is everybody's, and holds no credentials' replies. */
export function namedPartition(name: string | undefined, key: Uint8Array | undefined): Partition {
  const tuple = name === undefined ? ['everybody'] : ['named', name]
  return { ...partition(tuple, key ?? new Uint8Array(32)), sealed: key !== undefined }
}

function partition(tuple: readonly unknown[], key: Uint8Array): Partition {
  const id = createHmac('sha256', key).update(JSON.stringify(tuple)).digest('base64url')
  return { id, name: digest(id).slice(0, 12), key, sealed: true }
}

/**
 * A stored response's key: namespace, partition and hash of an injective tuple. HEAD looks up GET.
 * The partition's part lets a store see what belongs together; it tells no two of them apart.
 */
export function responseKey(
  namespace: string,
  { id, name }: Partition,
  { method, url }: { readonly method: string; readonly url: string },
): string {
  const at = url.indexOf('#')
  const sent = at < 0 ? url : url.slice(0, at)
  const tuple = JSON.stringify([formatVersion, id, method === 'HEAD' ? 'GET' : method, sent])
  return `${namespace}:response:${name}:${digest(tuple)}`
}

function digest(text: string): string {
  return hash('sha256', text, 'hex')
}

const formatVersion = 2
