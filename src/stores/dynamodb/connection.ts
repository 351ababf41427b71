import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailableError } from '../../errors.ts'
import { loadDriver } from '../driver.ts'
import { attemptsOf, isThrottled } from './failure.ts'
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

/** What is there once the SDK is loaded. */
export interface OpenConnection {
  send: Send
  /** That the client may send a write again of which nobody knows whether it was applied. */
  repeats: boolean
}

const maxSent = 6
const firstPauseMs = 25

type Driver = Record<`${DynamodbOperation}Command`, new (input: object) => never> & {
  DynamoDBClient: new (options: object) => DynamodbClient
}

/** The way to one table: the SDK loaded at the first use, a client of ours closed at the end. */
export class DynamodbConnection {
  readonly #settings: DynamodbSettings
  #own: DynamodbClient | undefined
  #opening: Promise<OpenConnection> | undefined
  #closed = false

  constructor(settings: DynamodbSettings) {
    this.#settings = settings
  }

  /** Loads the SDK also for a client that was handed in: the operations are classes of it. */
  async open(): Promise<OpenConnection> {
    if (this.#closed) throw closed()
    this.#opening ??= this.#openOnce()
    return this.#opening
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => {})
    this.#letGo()
  }

  async #openOnce(): Promise<OpenConnection> {
    try {
      const driver = await loadDriver<Driver>('@aws-sdk/client-dynamodb')
      const send = this.#sender(driver)
      if (this.#settings.createTable) await createTable(send, this.#settings.table)
      const repeats = await repeatsWrites(this.#settings.client)
      if (this.#closed) throw closed()
      return { send, repeats }
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
      const options =
        commandTimeout === undefined ? {} : { abortSignal: AbortSignal.timeout(commandTimeout) }
      const Command = driver[`${operation}Command`]
      return untilTaken(() => client.send(new Command(input), options) as Promise<T>, options)
    }
  }

  #letGo(): void {
    this.#own?.destroy()
    this.#own = undefined
  }
}

/**
 * Sends again only what certainly was not applied, because DynamoDB had no capacity for it, and it
 * was sent once: after a time-out, a reset or a failure of the server nobody knows.
 */
async function untilTaken<T>(
  send: () => Promise<T>,
  { abortSignal }: { abortSignal?: AbortSignal },
): Promise<T> {
  for (let sent = 1; ; sent += 1) {
    try {
      return await send()
    } catch (error) {
      // Ours about an argument have been thrown before.
      if (error instanceof RangeError) throw new StoreUnavailableError('the AWS SDK failed')
      if (sent === maxSent || !isThrottled(error) || attemptsOf(error) > 1) throw error
      await sleep(Math.random() * firstPauseMs * 2 ** sent)
      if (abortSignal?.aborted) throw error
    }
  }
}

/** A client of ours does not, nor one that was made with `maxAttempts: 1`. */
async function repeatsWrites(given: DynamodbClient | undefined): Promise<boolean> {
  if (!given) return false
  const { maxAttempts } = given.config as { maxAttempts?: unknown }
  return (typeof maxAttempts === 'function' ? await maxAttempts() : maxAttempts) !== 1
}

function closed(): StoreUnavailableError {
  return new StoreUnavailableError('it has been closed')
}
