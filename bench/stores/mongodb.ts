import { MongoClient } from 'mongodb'
import type { Collection, Document } from 'mongodb'
import { mongodbStore } from '../../src/stores/mongodb.ts'
import { changing, reading } from '../../src/stores/mongodb/client.ts'
import {
  documentExpression,
  inlineTypes,
  liveExpression,
} from '../../src/stores/mongodb/document.ts'
import { startMongo } from '../../test/support/mongo-stand-in-process.ts'
import { sideBySide } from '../side-by-side.ts'
import { keysInTurn, value } from './value.ts'

/**
 * Against the driver sending the same commands, on the server of `MONGODB_URL` or else on the tests'
 * stand-in: what is compared is the work on this side.
 */
export async function mongodb(): Promise<boolean[]> {
  const server = await startMongo()
  const client = await MongoClient.connect(server.url)
  const store = mongodbStore(server.url)
  const bare = client.db().collection<Stored>('bare')
  const key = keysInTurn(1_000)
  const pace = { atMost: 1.15, calls: 1_000 }
  try {
    const set = await sideBySide({
      ...pace,
      name: 'mongodb set',
      bare: () => write(bare, key()),
      ours: () => store.set(key(), value, { ttl: 600 }),
    })
    const $expr = liveExpression(inlineTypes)
    const get = await sideBySide({
      ...pace,
      name: 'mongodb get',
      bare: () => bare.findOne({ _id: { $eq: key() }, $expr }, reading),
      ours: () => store.get(key()),
    })
    return [set, get]
  } finally {
    await store.close()
    await client.close()
    await server.close()
  }
}

interface Stored extends Document {
  _id: string
}

function write(bare: Collection<Stored>, key: string): Promise<unknown> {
  const $replaceWith = documentExpression('a version of 16', value, 600_000)
  return bare.updateOne({ _id: { $eq: key } }, [{ $replaceWith }], { ...changing, upsert: true })
}
