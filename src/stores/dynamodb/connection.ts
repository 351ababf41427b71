import { StoreUnavailableError } from '../../errors.ts'
import { loadDriver } from '../driver.ts'
import type { DynamodbSettings } from './settings.ts'
import { createTable } from './table.ts'

/** The part of the AWS SDK's `DynamoDBClient` that behalf calls. */
export interface DynamodbClient {
  send(command: never, options?: object): Promise<unknown>
  readonly config: object
  destroy(): void
}

/** The operations of DynamoDB that behalf calls. */
export type DynamodbOperation =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'CreateTable'
  | 'DeleteItem'
  | 'DescribeTable'
  | 'GetItem'
  | 'PutItem'
  | 'Query'
  | 'UpdateItem'
  | 'UpdateTimeToLive'

/** Calls one operation of DynamoDB. */
export type Send = <T>(operation: DynamodbOperation, input: object) => Promise<T>

type Driver = Record<`${DynamodbOperation}Command`, new (input: object) => never> & {
  DynamoDBClient: new (options: object) => DynamodbClient
}

/** The way to one table: the SDK loaded at the first use, a client of ours closed at the end. */
export class DynamodbConnection {
  readonly #settings: DynamodbSettings
  #own: DynamodbClient | undefined
  #opening: Promise<Send> | undefined
  #closed = false

  constructor(settings: DynamodbSettings) {
    this.#settings = settings
  }

  /** Loads the SDK also for a client that was handed in: the operations are classes of it. */
  async open(): Promise<Send> {
    if (this.#closed) throw closed()
    this.#opening ??= this.#openOnce()
    return this.#opening
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => {})
    this.#letGo()
  }

  async #openOnce(): Promise<Send> {
    try {
      const driver = await loadDriver<Driver>('@aws-sdk/client-dynamodb')
      const send = this.#sender(driver)
      if (this.#settings.createTable) await createTable(send, this.#settings.table)
      if (this.#closed) throw closed()
      return send
    } catch (error) {
      this.#opening = undefined
      this.#letGo()
      throw error
    }
  }

  #sender(driver: Driver): Send {
    const { client: given, clientOptions, commandTimeout } = this.#settings
    const client = given ?? (this.#own = new driver.DynamoDBClient(clientOptions))
    return async <T>(operation: DynamodbOperation, input: object) => {
      const command = new driver[`${operation}Command`](input)
      // One limit for all attempts together, which the SDK itself does not have.
      const options =
        commandTimeout === undefined ? {} : { abortSignal: AbortSignal.timeout(commandTimeout) }
      return (await client.send(command, options)) as T
    }
  }

  #letGo(): void {
    this.#own?.destroy()
    this.#own = undefined
  }
}

function closed(): StoreUnavailableError {
  return new StoreUnavailableError('it has been closed')
}
