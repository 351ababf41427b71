import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { dynamodbStore } from '../../src/stores/dynamodb.ts'
import { valueItem } from '../../src/stores/dynamodb/item.ts'
import { startDynaliteProcess } from '../../test/support/dynalite-server.ts'
import { sideBySide } from '../side-by-side.ts'
import { keysInTurn, value } from './value.ts'

/** Against the AWS SDK sending the same commands to dynalite: what is compared is this side's work. */
export async function dynamodb(): Promise<boolean[]> {
  const server = await startDynaliteProcess()
  const client = new DynamoDBClient({
    endpoint: new URL(server.url).searchParams.get('endpoint')!,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'secret' },
  })
  const store = dynamodbStore(server.url)
  const table = { TableName: 'behalf' }
  const next = keysInTurn(1_000)
  const bareKey = () => ({ namespace: { S: 'bare' }, key: { S: next() } })
  const bareItem = () => ({ ...bareKey(), ...valueItem('a version of 16', value, 600_000) })
  const pace = { atMost: 1.15, calls: 500 }
  try {
    await store.set(next(), value)
    const set = await sideBySide({
      ...pace,
      name: 'dynamodb set (dynalite)',
      bare: () => client.send(new PutItemCommand({ ...table, Item: bareItem() as never })),
      ours: () => store.set(next(), value, { ttl: 600 }),
    })
    const get = await sideBySide({
      ...pace,
      name: 'dynamodb get (dynalite)',
      bare: () =>
        client.send(new GetItemCommand({ ...table, Key: bareKey(), ConsistentRead: true })),
      ours: () => store.get(next()),
    })
    return [set, get]
  } finally {
    await store.close()
    client.destroy()
    await server.close()
  }
}
