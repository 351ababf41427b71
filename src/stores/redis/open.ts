import type { RedisConnection } from './connection.ts'
import { loadRedisDriver } from './driver.ts'
import { mayDropExpiring } from './eviction.ts'
import { HashLayout } from './hash-layout.ts'
import { KeyLayout } from './key-layout.ts'
import type { RedisLayout } from './layout.ts'
import { openMaster } from './sentinel.ts'
import type { Address, RedisLayoutSettings, RedisSettings } from './settings.ts'

/** Gives what connects: to the server, to the cluster, or to the master that sentinels name. */
export function connector(settings: RedisSettings): () => Promise<RedisConnection> {
  const { kind, addresses } = settings
  let known = addresses
  return async () => {
    const driver = await loadRedisDriver(settings.driver)
    if (kind === 'sentinel') return openMaster(driver, settings)
    if (kind === 'server') return driver.server(settings, addresses[0]!)
    const connection = await driver.cluster(settings, known)
    // The nodes that were named may be the ones that are lost next.
    known = distinct([...addresses, ...(await connection.masters()).flatMap(({ at }) => at ?? [])])
    return connection
  }
}

/** Looks at what the server may drop, and chooses how records are laid out. Ends what it refuses. */
export async function layoutOn(
  connection: RedisConnection,
  { namespace, layout, durable }: RedisLayoutSettings,
): Promise<RedisLayout> {
  const droppable = durable && (await mayDropExpiring(connection))
  if (layout === 'hash') return new HashLayout(connection, namespace)
  return new KeyLayout(connection, namespace, droppable)
}

function distinct(addresses: readonly Address[]): Address[] {
  return [...new Map(addresses.map((at) => [`${at.host} ${at.port}`, at])).values()]
}
