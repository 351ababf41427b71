import { afterAll, describe } from 'vitest'
import { memcachedStore } from '../../../src/stores/memcached.ts'
import { component } from '../../components.ts'
import { startMemcached } from '../../support/memcached-server.ts'
import type { OptionalOperation } from '../../../src/stores/optional-operations.ts'
import { describeStore } from '../describe-store.ts'

const memcached = component('memcached')
const servers = memcached.present
  ? await Promise.all([startMemcached(), startMemcached(), startMemcached()])
  : []
afterAll(() => Promise.all(servers.map((server) => server.close())))

const operations: OptionalOperation[] = ['clear', 'getMany', 'setMany', 'deleteMany', 'increment']
operations.push('ttl', 'expire')

describe.skipIf(!memcached.present)('memcached', () => {
  const [first] = servers
  const list = servers.map(({ address }) => address)

  describeStore(
    'memcachedStore(url)',
    () => memcachedStore(first?.url ?? 'memcached://localhost'),
    operations,
  )
  describeStore(
    'memcachedStore({ servers }) of three',
    () => memcachedStore({ servers: list.length > 0 ? list : undefined, namespace: 'shared' }),
    operations,
  )
})
