import { live } from './condition.ts'

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
