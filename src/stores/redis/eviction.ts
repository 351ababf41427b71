import { ConfigError } from '../../errors.ts'
import { refusal } from './connection.ts'
import type { RedisConnection, RedisNode } from './connection.ts'

/**
 * Tells whether a server may drop what has a ttl before its time (`volatile-*`). Throws a
 * `ConfigError` when it may drop anything (`allkeys-*`): nothing that must last can be kept there.
 *
 * What is not told (INFO may be forbidden) is taken for a server that drops nothing.
 */
export async function mayDropExpiring(connection: RedisConnection): Promise<boolean> {
  const masters = await connection.masters()
  const policies = await answers(masters.map(policyOf))
  const drops = policies.find((policy) => policy.startsWith('allkeys-'))
  if (drops) {
    throw new ConfigError(
      `This Redis server may drop what it keeps (maxmemory-policy ${drops}). Set it to noeviction ` +
        'or a volatile- policy, use another server, or set durable: false (only for a cache).',
    )
  }
  return policies.some((policy) => policy.startsWith('volatile-'))
}

/** Of a cluster one server may be lost just now; that is no reason to do without the others. */
async function answers(asked: ReadonlyArray<Promise<string>>): Promise<string[]> {
  const results = await Promise.allSettled(asked)
  const answered = results.filter((result) => result.status === 'fulfilled')
  if (answered.length === 0) await Promise.all(asked)
  return answered.map(({ value }) => value)
}

async function policyOf(master: RedisNode): Promise<string> {
  const info = await memoryInfo(master)
  const limit = /^maxmemory:(\d+)/m.exec(info)?.[1] ?? '0'
  const policy = /^maxmemory_policy:([a-z-]{1,40})/m.exec(info)?.[1] ?? ''
  return limit === '0' ? '' : policy
}

async function memoryInfo(master: RedisNode): Promise<string> {
  try {
    return String(await master.call('info', ['memory']))
  } catch (error) {
    if (refusal(error) === undefined) throw error
    return ''
  }
}
