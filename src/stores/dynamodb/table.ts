import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailableError } from '../../errors.ts'
import type { Send } from './connection.ts'
import { isNamed } from './failure.ts'

const patienceMs = 60_000
const pauseMs = 250

/** Makes the table where it is not there, and waits until it can be used. */
export async function createTable(send: Send, table: string): Promise<void> {
  const status = await tableStatus(send, table)
  if (status === undefined) await create(send, table)
  if (status !== 'ACTIVE') await becomeActive(send, table)
  if (status === undefined) await enableTtl(send, table)
}

async function tableStatus(send: Send, table: string): Promise<string | undefined> {
  try {
    const described = await send<{ Table?: { TableStatus?: string } }>('DescribeTable', {
      TableName: table,
    })
    return described.Table?.TableStatus ?? 'CREATING'
  } catch (error) {
    if (isNamed(error, 'ResourceNotFoundException')) return undefined
    throw error
  }
}

async function create(send: Send, table: string): Promise<void> {
  try {
    await send('CreateTable', {
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'namespace', AttributeType: 'S' },
        { AttributeName: 'key', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'namespace', KeyType: 'HASH' },
        { AttributeName: 'key', KeyType: 'RANGE' },
      ],
    })
  } catch (error) {
    // Another process was faster.
    if (!isNamed(error, 'ResourceInUseException')) throw error
  }
}

async function becomeActive(send: Send, table: string): Promise<void> {
  const giveUpAt = performance.now() + patienceMs
  while ((await tableStatus(send, table)) !== 'ACTIVE') {
    if (performance.now() > giveUpAt) {
      throw new StoreUnavailableError('its DynamoDB table is not active yet')
    }
    await sleep(pauseMs)
  }
}

/** Servers for tests do not know it, and another process may have done it: expiry does not rest on it. */
async function enableTtl(send: Send, table: string): Promise<void> {
  try {
    await send('UpdateTimeToLive', {
      TableName: table,
      TimeToLiveSpecification: { Enabled: true, AttributeName: 'expires' },
    })
  } catch (error) {
    if (isNamed(error, 'UnknownOperationException', 'ValidationException')) return
    throw error
  }
}
