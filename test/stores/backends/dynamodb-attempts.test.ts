import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { StoreUnavailableError } from '../../../src/errors.ts'
import { dynamodbStore } from '../../../src/stores/dynamodb.ts'
import { dynamodbSettings } from '../../../src/stores/dynamodb/settings.ts'
import type { Store } from '../../../src/stores/store.ts'
import { startDynaliteProcess } from '../../support/dynalite-server.ts'

vi.setConfig({ testTimeout: 60_000 })

const { url, close } = await startDynaliteProcess()
const endpoint = new URLSearchParams(url.split('?')[1]).get('endpoint')!
const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
const client = new DynamoDBClient({ region: 'eu-central-1', endpoint, credentials })
const store = dynamodbStore(url, { connectTimeout: 30, commandTimeout: 30 })
const value = Buffer.from('value')
const secret = 's3cret-p4ssword'
// Makes the table.
await store.get('key')

afterAll(async () => {
  await store.close()
  client.destroy()
  await close()
})

describe('attempts of the SDK', () => {
  /** Does the call twice, and gives the reply of the second time, as after a lost reply. */
  function twice(): Store {
    const repeating = {
      config: client.config,
      destroy() {},
      async send(command: never) {
        await client.send(command).catch(() => {})
        try {
          return await client.send(command)
        } catch (error) {
          Object.assign((error as { $metadata: object }).$metadata, { attempts: 2 })
          throw error
        }
      },
    }
    return dynamodbStore(repeating as never)
  }

  test('a write whose reply was lost has won all the same', async () => {
    const retried = twice()
    await store.delete('key')
    const first = await retried.compareAndSwap('key', undefined, value)
    expect(first).toBe((await store.get('key'))?.version)
    const second = await retried.compareAndSwap('key', first, value)
    expect(second).toBe((await store.get('key'))?.version)
    const lost = retried.compareAndSwap('key', 'another', value)
    await expect(lost).rejects.toBeInstanceOf(StoreUnavailableError)
  })

  test('a counter is not counted twice', async () => {
    const retried = twice()
    await store.delete('count')
    expect(await retried.increment?.('count', 5)).toBe(5)
    expect(await retried.increment?.('count', 2)).toBe(7)
    expect(await store.increment?.('count', 0)).toBe(7)
  })
})

describe('what is sent again', () => {
  const clients: DynamoDBClient[] = []
  afterAll(() => clients.forEach((each) => each.destroy()))

  /** The reply of the next write gets lost after `meanwhile`; `sent` counts what is sent. */
  function losing(options: object) {
    const state = { meanwhile: undefined as (() => Promise<unknown>) | undefined, sent: 0 }
    const lossy = new DynamoDBClient({ region: 'eu-central-1', endpoint, credentials, ...options })
    clients.push(lossy)
    lossy.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (/^(?:Get|Describe)/.test(String(commandName))) return next(args)
          state.sent += 1
          const reply = next(args)
          const { meanwhile } = state
          if (!meanwhile) return reply
          state.meanwhile = undefined
          await reply.catch(() => {})
          await meanwhile()
          throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' })
        },
      { step: 'deserialize', priority: 'high' },
    )
    return { state, lossyStore: dynamodbStore(lossy) }
  }

  const unknown = { code: 'store_unavailable' }
  const nothing = async () => {}

  test('a counter of a client that repeats writes counts once, also with others in between', async () => {
    const { state, lossyStore } = losing({})
    await store.set('key', Buffer.from('10'))
    state.meanwhile = () => store.increment!('key', 1)
    await expect(lossyStore.increment!('key', 1)).rejects.toMatchObject(unknown)
    expect(state.sent).toBe(2)
    expect(await store.increment!('key', 0)).toBe(12)
    state.meanwhile = nothing
    expect(await lossyStore.increment!('key', 1)).toBe(13)
    expect(await store.increment!('key', 0)).toBe(13)
  })

  test('a counter that was begun and deleted does not come back', async () => {
    const { state, lossyStore } = losing({})
    await store.delete('key')
    state.meanwhile = () => store.delete('key')
    await expect(lossyStore.increment!('key', 1)).rejects.toMatchObject(unknown)
    expect(await store.get('key')).toBeUndefined()
  })

  test('many count at the same time with a client that repeats writes', async () => {
    const { lossyStore } = losing({})
    await store.delete('key')
    await Promise.all(Array.from({ length: 30 }, () => lossyStore.increment!('key', 1)))
    expect(await store.increment!('key', 0)).toBe(30)
  })

  test('a record that was made and logged out does not come back', async () => {
    const { state, lossyStore } = losing({})
    await store.delete('key')
    state.meanwhile = () => store.delete('key')
    const made = lossyStore.compareAndSwap('key', undefined, value)
    await expect(made).rejects.toMatchObject(unknown)
    expect(state.sent).toBeGreaterThan(1)
    expect(await store.get('key')).toBeUndefined()
  })

  test('a comparison whose result is not known is no false and no undefined', async () => {
    const { state, lossyStore } = losing({})
    for (const compare of [
      (version: string) => lossyStore.compareAndDelete('key', version),
      (version: string) => lossyStore.compareAndSwap('key', version, value),
      () => lossyStore.delete('key'),
    ]) {
      await store.set('key', value)
      const { version } = (await store.get('key'))!
      state.meanwhile = () => store.delete('key')
      await expect(compare(version)).rejects.toMatchObject(unknown)
      expect(await store.get('key')).toBeUndefined()
      // What was sent once is known.
      expect(await lossyStore.compareAndDelete('key', version)).toBe(false)
    }
  })

  test('a client of one attempt sends no write again', async () => {
    const { state, lossyStore } = losing({ maxAttempts: 1 })
    await store.set('key', value)
    const lost = Buffer.from('lost')
    state.meanwhile = async () => {
      const { version } = (await store.get('key'))!
      expect(await store.compareAndSwap('key', version, value)).toBeDefined()
    }
    await expect(lossyStore.set('key', lost)).rejects.toMatchObject(unknown)
    expect(state.sent).toBe(1)
    expect(await store.get('key')).toMatchObject({ value: new Uint8Array(value) })
  })

  test('our own client makes one attempt, whatever the environment says', async () => {
    vi.stubEnv('AWS_MAX_ATTEMPTS', '5')
    const own = new DynamoDBClient(dynamodbSettings(url, {}).clientOptions)
    expect(await own.config.maxAttempts()).toBe(1)
    own.destroy()
    vi.unstubAllEnvs()
  })

  /** A client that fails so many times, each time as the SDK does, and counts what is sent. */
  function failing(name: string, times: number, attempts = 1) {
    const state = { sent: 0 }
    const config = { maxAttempts: async () => 1 }
    const send = async (command: never) => {
      state.sent += 1
      if (state.sent > times) return client.send(command)
      const error = Object.assign(new Error(secret), { $metadata: { attempts } })
      throw Object.assign(error, { name })
    }
    return { state, failingStore: dynamodbStore({ send, config, destroy() {} }) }
  }

  test.each([
    'ThrottlingException',
    'ProvisionedThroughputExceededException',
    'RequestLimitExceeded',
    'ThrottledException',
  ])('what was refused with a %s is sent again, and not for ever', async (name) => {
    const { state, failingStore } = failing(name, 3)
    await failingStore.set('key', value)
    expect(state.sent).toBe(4)
    const never = failing(name, Infinity)
    await expect(never.failingStore.set('key', value)).rejects.toMatchObject(unknown)
    expect(never.state.sent).toBeLessThan(10)
  })

  test.each(['TimeoutError', 'InternalServerError', 'ECONNRESET', 'ServiceUnavailable'])(
    'what ended with a %s is not',
    async (name) => {
      const { state, failingStore } = failing(name, 1)
      await expect(failingStore.increment!('key', 1)).rejects.toMatchObject(unknown)
      expect(state.sent).toBe(1)
    },
  )

  test('what was throttled only after an attempt whose outcome is unknown is not', async () => {
    const { state, failingStore } = failing('ThrottlingException', 1, 2)
    await expect(failingStore.set('key', value)).rejects.toMatchObject(unknown)
    expect(state.sent).toBe(1)
  })

  test('a counter that always loses ends', async () => {
    let sent = 0
    const counting = dynamodbStore({
      config: { maxAttempts: 1 },
      destroy() {},
      send: async (command: never) => {
        sent += 1
        if ((command as object).constructor.name === 'GetItemCommand') return {}
        throw Object.assign(new Error(secret), { name: 'ConditionalCheckFailedException' })
      },
    })
    await expect(counting.increment!('key', 1)).rejects.toMatchObject(unknown)
    expect(sent).toBeLessThan(100)
  })

  test('a RangeError of the SDK is a failure of the store', async () => {
    const config = { maxAttempts: 1 }
    const send = async () => {
      throw new RangeError(secret)
    }
    const broken = dynamodbStore({ send, config, destroy() {} })
    await expect(broken.get('key')).rejects.toMatchObject(unknown)
    await expect(broken.get('key')).rejects.not.toThrow(secret)
  })

  test.each([1.001, 0.9999, 1e10])('a command time-out of %d seconds is one', async (seconds) => {
    const other = dynamodbStore(url, { commandTimeout: seconds, connectTimeout: seconds })
    await other.set('key', value)
    expect(await other.get('key')).toBeDefined()
    await other.close()
  })
})
