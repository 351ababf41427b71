import {
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConfigError, StoreUnavailableError } from '../../../src/errors.ts'
import { dynamodbStore, isDynamodbClient } from '../../../src/stores/dynamodb.ts'
import type { DynamodbStoreOptions } from '../../../src/stores/dynamodb.ts'
import type { Store } from '../../../src/stores/store.ts'
import { startDynaliteProcess } from '../../support/dynalite-server.ts'
import { hostileRows } from '../../hostile.ts'

vi.setConfig({ testTimeout: 60_000 })

const { url, process: server, close } = await startDynaliteProcess()
const endpoint = new URLSearchParams(url.split('?')[1]).get('endpoint')!
const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
const client = new DynamoDBClient({ region: 'eu-central-1', endpoint, credentials })
const store = dynamodbStore(url, { connectTimeout: 30, commandTimeout: 30 })
const value = Buffer.from('value')
const secret = 's3cret-p4ssword'

afterAll(async () => {
  await store.close()
  client.destroy()
  await close()
})

function primaryKey(key: string, namespace = 'behalf'): Record<string, AttributeValue> {
  return { namespace: { S: namespace }, key: { S: key } }
}

async function item(key: string, namespace?: string) {
  const input = { TableName: 'behalf', Key: primaryKey(key, namespace), ConsistentRead: true }
  return (await client.send(new GetItemCommand(input))).Item
}

async function put(key: string, attributes: Record<string, AttributeValue>): Promise<void> {
  const Item = { ...primaryKey(key), ...attributes }
  await client.send(new PutItemCommand({ TableName: 'behalf', Item }))
}

describe('what is stored', () => {
  beforeEach(() => store.clear?.(''))

  test('one item for each key, with its end exact and in whole seconds for the TTL', async () => {
    await store.set('key', value, { ttl: 60.5 })
    const { version, expiresAt, expires, ...rest } = (await item('key'))!
    expect(rest).toEqual({ ...primaryKey('key'), value: { B: new Uint8Array(value) } })
    expect(version?.S).toBe((await store.get('key'))?.version)
    expect(Number(expiresAt?.N)).toBeGreaterThan(Date.now() + 55_000)
    expect(Number(expires?.N)).toBe(Math.ceil(Number(expiresAt?.N) / 1000))
    await store.set('key', value)
    expect(Object.keys((await item('key'))!).toSorted()).toEqual([
      'key',
      'namespace',
      'value',
      'version',
    ])
  })

  test('what has expired is absent though DynamoDB has not removed it', async () => {
    await store.set('key', value, { ttl: 0.01 })
    await expect.poll(() => store.get('key')).toBeUndefined()
    expect(await item('key')).toBeDefined()
    expect(await store.getMany?.(['key'])).toEqual([undefined])
    expect(await store.delete('key')).toBe(false)
  })

  test('a lifetime beyond all reason is taken', async () => {
    await store.set('key', value, { ttl: 1e15 })
    expect(await store.ttl?.('key')).toBeGreaterThan(1e11)
    expect(await store.expire?.('key', Number.MAX_VALUE)).toBe(true)
    expect((await store.get('key'))?.value).toEqual(new Uint8Array(value))
  })

  test('digits are kept as a number only where they can be had back', async () => {
    const texts = ['0', '-7', '9007199254740991', '007', '-0', '9007199254740993', '']
    for (const text of texts) await store.set(`n${text}`, Buffer.from(text))
    for (const text of texts) {
      expect(Buffer.from((await store.get(`n${text}`))!.value).toString()).toBe(text)
    }
    expect((await item('n-7'))?.['value']).toEqual({ N: '-7' })
    expect((await item('n007'))?.['value']).toEqual({ B: new Uint8Array(Buffer.from('007')) })
  })

  const foreign: Array<[string, Record<string, AttributeValue>]> = [
    ['nothing but its key', {}],
    ['no version', { value: { B: value } }],
    ['a version that is a number', { version: { N: '5' }, value: { B: value } }],
    ['a value that is text', { version: { S: 'v' }, value: { S: 'text' } }],
    ['no value', { version: { S: 'v' } }],
    [
      'an end that is text',
      { version: { S: 'v' }, value: { B: value }, expiresAt: { S: 'never' } },
    ],
    ['an end in the past', { version: { S: 'v' }, value: { B: value }, expiresAt: { N: '5' } }],
  ]
  test.each(foreign)(
    'an item with %s is a miss, and can be written over',
    async (_name, attributes) => {
      await put('key', attributes)
      expect(await store.get('key')).toBeUndefined()
      expect(await store.getMany?.(['key'])).toEqual([undefined])
      expect(await store.ttl?.('key')).toBeUndefined()
      expect(await store.delete('key')).toBe(false)
      expect(await store.compareAndSwap('key', 'v', value)).toBeUndefined()
      expect(await store.compareAndSwap('key', undefined, value)).toBeDefined()
      await put('key', attributes)
      expect(await store.increment?.('key', 3)).toBe(3)
    },
  )

  test('the largest value with the longest key and namespace fits into an item', async () => {
    const namespace = 'n'.repeat(63)
    const other = dynamodbStore(url, { namespace, partitions: 9, commandTimeout: 30 })
    const large = Buffer.alloc(other.maxValueBytes, 1)
    await other.set('k'.repeat(1024), large, { ttl: 60 })
    expect(large.equals((await other.get('k'.repeat(1024)))!.value)).toBe(true)
    await other.clear?.('')
    await other.close()
  })

  test('ST-02 namespaces and partitions of one table do not see each other', async () => {
    const one = dynamodbStore(url, { namespace: 'one' })
    const spread = dynamodbStore(url, { namespace: 'one', partitions: 4 })
    await one.set('key', value)
    const keys = Array.from({ length: 30 }, (_, index) => `key ${index}`)
    await spread.setMany?.(keys.map((key) => [key, value]))
    const used = await Promise.all(
      [0, 1, 2, 3].map(async (index) => (await item('key 0', `one#${index}`)) !== undefined),
    )
    expect(used.filter(Boolean)).toHaveLength(1)
    expect((await listed(spread)).toSorted()).toEqual(keys.toSorted())
    await spread.clear?.('key 1')
    expect(await listed(spread)).toHaveLength(19)
    expect(await listed(one)).toEqual(['key'])
    expect(await listed(store)).toEqual([])
    await spread.clear?.('')
    expect(await one.get('key')).toBeDefined()
    await Promise.all([one.close(), spread.close()])
  })
})

describe('the table', () => {
  test('without it the first use says what to do, and so does every other', async () => {
    const query = new URLSearchParams({ endpoint }).toString()
    const missing = dynamodbStore(`dynamodb://any:${secret}@eu-central-1/missing?${query}`)
    await expect(missing.get('key')).rejects.toThrow(/createTable/)
    await expect(missing.set('key', value)).rejects.toBeInstanceOf(ConfigError)
    await expect(missing.getMany?.(['key'])).rejects.toBeInstanceOf(ConfigError)
    await missing.close()
  })

  test('createTable makes it once, however many are first, paid per request', async () => {
    const table = 'made-by.createTable'
    const stores = Array.from({ length: 4 }, () => dynamodbStore(url, { table }))
    await Promise.all(stores.map((each, index) => each.set(`${index}`, value)))
    const described = await client.send(new DescribeTableCommand({ TableName: table }))
    expect(described.Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST')
    expect(await listed(stores[0]!)).toHaveLength(4)
    await Promise.all(stores.map((each) => each.close()))
  })
})

describe('options', () => {
  test('a client that is handed in is used and stays open', async () => {
    expect(isDynamodbClient(client)).toBe(true)
    expect([{}, null, new Map(), url].some(isDynamodbClient)).toBe(false)
    const other = dynamodbStore(client, { namespace: 'handed_in' })
    await other.set('key', value)
    await other.close()
    expect(await item('key', 'handed_in')).toBeDefined()
    await expect(other.get('key')).rejects.toThrow('it has been closed')
  })

  test('options alone are a source too', async () => {
    const other = dynamodbStore({
      region: 'eu-central-1',
      endpoint,
      credentials,
      namespace: 'only',
    })
    await other.set('key', value)
    expect(await item('key', 'only')).toBeDefined()
    await other.close()
  })

  const wrong: Array<[string, DynamodbStoreOptions]> = [
    ['namespace', { namespace: 'a#b' }],
    ['table', { table: 'a/b' }],
    ['table', { table: 'ab' }],
    ['region', { region: 'eu central' }],
    ['endpoint', { endpoint: 'ftp://host' }],
    ['endpoint', { endpoint: `http://user:${secret}@host` }],
    ['partitions', { partitions: 0 }],
    ['createTable', { createTable: 'yes' as never }],
    ['credentials', { credentials: { accessKeyId: 'id' } as never }],
    ['commandTimeout', { commandTimeout: -1 }],
    ['connectTimeout', { connectTimeout: Number.NaN }],
  ]
  test.each(wrong)('a wrong %s is refused when the store is made', (name, options) => {
    expect(() => dynamodbStore(url, options)).toThrow(ConfigError)
    expect(() => dynamodbStore(url, options)).toThrow(name)
    expect(() => dynamodbStore(url, options)).not.toThrow(secret)
  })

  test.each(hostileRows('storeConfig'))('ST-04 the namespace of $id is refused', ({ input }) => {
    const { tableOrNamespace: namespace } = input as { tableOrNamespace: string }
    expect(() => dynamodbStore(url, { namespace })).toThrow(ConfigError)
  })

  test.each([
    `http://user:${secret}@host/`,
    `dynamodb://user:${secret}@region/table/more`,
    `dynamodb://user:${secret}@one,two/table`,
    `dynamodb://:${secret}@region/table`,
    `dynamodb://user:${secret}@region/table?secretAccessKey=${secret}`,
    `dynamodb://user:${secret}@region/table?partitions=x`,
    `dynamodb://user:${secret}@region/table?maxAttempts=3`,
  ])('ST-12 a wrong URL is refused and never repeated: %#', (wrongUrl) => {
    expect(() => dynamodbStore(wrongUrl)).toThrow(ConfigError)
    expect(() => dynamodbStore(wrongUrl)).not.toThrow(secret)
  })

  test.each([undefined, null, 5])('%j is no source', (source) => {
    expect(() => dynamodbStore(source as never)).toThrow(ConfigError)
  })
})

describe('a server that goes away', () => {
  async function failsWithin(seconds: number, call: () => Promise<unknown>): Promise<void> {
    const startedAt = performance.now()
    const failure = await call().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StoreUnavailableError)
    expect(String((failure as Error).stack)).not.toMatch(/any:secret|127\.0\.0\.1/)
    expect(performance.now() - startedAt).toBeLessThan(seconds * 1000)
  }

  test('calls fail in time while it does not answer or is down, and work again at once', async () => {
    const hasty = dynamodbStore(url, { commandTimeout: 1, connectTimeout: 0.5 })
    await hasty.set('key', value)
    server.freeze()
    try {
      await failsWithin(2, () => hasty.get('key'))
      await failsWithin(2, () => hasty.compareAndSwap('key', undefined, value))
    } finally {
      server.thaw()
    }
    await expect.poll(() => hasty.set('key', value).then(() => true)).toBe(true)
    await server.kill()
    await failsWithin(2, () => hasty.get('key'))
    await failsWithin(2, () => hasty.increment!('key', 1))
    await server.start()
    // In memory: the table is gone with the process.
    const again = dynamodbStore(url)
    await again.set('key', value)
    expect(await hasty.get('key')).toMatchObject({ value: new Uint8Array(value) })
    await Promise.all([hasty.close(), again.close()])
  })

  test('closing in the middle ends what is under way, and all that comes after', async () => {
    const other = dynamodbStore(url, { commandTimeout: 1 })
    await other.set('key', value)
    server.freeze()
    try {
      const underWay = Array.from({ length: 5 }, () => failsWithin(3, () => other.get('key')))
      await other.close()
      await Promise.all(underWay)
    } finally {
      server.thaw()
    }
    await expect(other.set('key', value)).rejects.toThrow('it has been closed')
    await other.close()
  })
})

async function listed(from: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const key of from.keys!('')) keys.push(key)
  return keys
}
