import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, vi } from 'vitest'
import { dynamodbStore } from '../../../src/stores/dynamodb.ts'
import { dynamodbSettings } from '../../../src/stores/dynamodb/settings.ts'
import { startDynamodb } from '../../support/dynalite-server.ts'
import { describeStore } from '../describe-store.ts'

// The SDK takes about a millisecond of this process for each of some 40,000 calls.
vi.setConfig({ testTimeout: 120_000 })

const { url, close } = await startDynamodb()
const { clientOptions, table, namespace } = dynamodbSettings(url, {
  connectTimeout: 30,
  commandTimeout: 30,
})
const client = new DynamoDBClient(clientOptions)

afterAll(async () => {
  client.destroy()
  await close()
})

// One client, because each of hundreds would open connections and ask for the table.
const owner = dynamodbStore(url, { connectTimeout: 30, commandTimeout: 30 })
await owner.get('the table is there')
await owner.close()
describeStore('DynamoDB', () => dynamodbStore(client, { table, namespace }))
