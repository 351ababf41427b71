import type { RedisConnection } from './connection.ts'
import type { RedisDriver } from './driver.ts'
import type { Address, RedisSettings } from './settings.ts'

/**
 * Asks the sentinels for the master and connects to it
 * (https://redis.io/docs/latest/develop/reference/sentinel-clients/). All are asked at the same
 * time, and the first whose master says that it is one is followed: a sentinel that was cut off may
 * name a former one.
 */
export async function openMaster(
  driver: RedisDriver,
  settings: RedisSettings,
): Promise<RedisConnection> {
  const attempts = settings.addresses.map((sentinel) => followSentinel(driver, settings, sentinel))
  const master = await Promise.any(attempts).catch((error: AggregateError) => {
    throw error.errors[0]
  })
  for (const attempt of attempts) {
    attempt.then((other) => other !== master && other.close()).catch(() => {})
  }
  return master
}

async function followSentinel(
  driver: RedisDriver,
  settings: RedisSettings,
  sentinel: Address,
): Promise<RedisConnection> {
  const master = await driver.server(settings, await masterOf(driver, settings, sentinel))
  try {
    const [role] = (await master.call('', 'role', [])) as unknown[]
    if (String(role) !== 'master') throw new Error('The sentinel named a replica')
    return master
  } catch (error) {
    master.close()
    throw error
  }
}

async function masterOf(
  driver: RedisDriver,
  settings: RedisSettings,
  sentinel: Address,
): Promise<Address> {
  const { sentinelName = '', sentinelUsername, sentinelPassword } = settings
  const credentials = { username: sentinelUsername, password: sentinelPassword, db: 0 }
  const connection = await driver.server({ ...settings, ...credentials }, sentinel)
  try {
    const words = ['get-master-addr-by-name', sentinelName]
    const named = (await connection.call('', 'sentinel', words)) as [unknown, unknown] | null
    if (!named) throw new Error('The sentinel knows no master of this name')
    return { host: String(named[0]), port: Number(String(named[1])) }
  } finally {
    connection.close()
  }
}
