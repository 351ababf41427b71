import { live } from './condition.ts'
import type { Send } from './connection.ts'
import type { Item } from './item.ts'

/** Asks for the keys of one partition that begin with `prefix`, also of what has expired if need be. */
export function keyQuery(partition: string, prefix: string, onlyLive: boolean): object {
  const { text, names, values } = live()
  const beginsWith = prefix === '' ? '' : ' AND begins_with(#key, :prefix)'
  return {
    KeyConditionExpression: `#namespace = :namespace${beginsWith}`,
    ProjectionExpression: '#key',
    ...(onlyLive ? { FilterExpression: text } : {}),
    ExpressionAttributeNames: {
      '#namespace': 'namespace',
      '#key': 'key',
      ...(onlyLive ? names : {}),
    },
    ExpressionAttributeValues: {
      ':namespace': { S: partition },
      ...(prefix === '' ? {} : { ':prefix': { S: prefix } }),
      ...(onlyLive ? values : {}),
    },
  }
}

/** The keys that a query finds, page by page. */
export async function* queryKeys(send: Send, table: string, query: object): AsyncIterable<string> {
  let ExclusiveStartKey: Item | undefined
  do {
    const page: QueryPage = await send('Query', {
      TableName: table,
      ConsistentRead: true,
      ...query,
      ExclusiveStartKey,
    })
    for (const { key } of page.Items ?? []) if (key?.S !== undefined) yield key.S
    ExclusiveStartKey = page.LastEvaluatedKey
  } while (ExclusiveStartKey)
}

interface QueryPage {
  Items?: Item[]
  LastEvaluatedKey?: Item
}
