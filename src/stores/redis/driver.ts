import { ConfigError } from '../../errors.ts'
import { loadDriver } from '../driver.ts'
import { isAnswer } from '../failure.ts'
import type { RedisConnection } from './connection.ts'
import { ioredisDriver } from './ioredis.ts'
import { nodeRedisDriver } from './node-redis.ts'
import type { Address, RedisSettings } from './settings.ts'

/** The packages that can be used, best first. */
export const redisDrivers = ['ioredis', 'redis'] as const

/** One of {@link redisDrivers}. */
export type RedisDriverName = (typeof redisDrivers)[number]

/** Connects; each connection ends for good when its server is lost, and nothing waits for it. */
export interface RedisDriver {
  server(settings: RedisSettings, address: Address): Promise<RedisConnection>
  cluster(settings: RedisSettings, addresses: readonly Address[]): Promise<RedisConnection>
}

/** Finds a driver. Throws a `ConfigError` that says what to install. */
export async function loadRedisDriver(wanted: RedisDriverName | undefined): Promise<RedisDriver> {
  if (wanted === 'redis') return nodeRedisDriver(await loadDriver('redis'))
  try {
    return ioredisDriver(await loadDriver('ioredis'))
  } catch (error) {
    if (wanted !== undefined || !isAnswer(error)) throw error
  }
  try {
    return nodeRedisDriver(await loadDriver('redis'))
  } catch (error) {
    if (!isAnswer(error)) throw error
    throw new ConfigError('There is no driver for Redis: npm i ioredis (or npm i redis)')
  }
}
