import { ConfigError } from '../../errors.ts'
import { checkCount, checkName, checkSeconds } from '../limits.ts'
import { parseStoreUrl, queryOptions } from '../store-url.ts'
import type { DynamodbClient } from './connection.ts'
import { parsedUrl } from '../../parsed-url.ts'

/** The keys of an AWS account, or a function that gives them, as the AWS SDK takes them. */
export type DynamodbCredentials =
  | { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined }
  | (() => Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }>)

/** Where a DynamoDB store keeps its items, and how it connects. */
export interface DynamodbStoreOptions {
  /**
   * `dynamodb://<region>/<table>`, with the other options in its query. Credentials can stand before
   * the region (`<accessKeyId>:<secretAccessKey>@`), but are better left to the AWS SDK.
   */
  url?: string | URL | undefined
  /** The AWS region. Defaults to what the AWS SDK finds, such as `AWS_REGION`. */
  region?: string | undefined
  /** The table. Defaults to `behalf`. */
  table?: string | undefined
  /** The partition key of this store's items: several stores can share a table. Defaults to `behalf`. */
  namespace?: string | undefined
  /**
   * Over how many partition keys the items are spread, by a hash of their keys. One partition key
   * takes some 1,000 writes and 3,000 reads of 4 KB a second until DynamoDB has split it by itself,
   * which takes minutes; `keys` and `clear` ask each of them. What was stored under another number
   * is not found. At most 1,000; defaults to 1.
   */
  partitions?: number | undefined
  /** Another endpoint than AWS's, such as `http://127.0.0.1:8000`. */
  endpoint?: string | undefined
  /** Makes the table where it is not there, paid per request and with its TTL. Defaults to `false`. */
  createTable?: boolean | undefined
  /** Defaults to what the AWS SDK finds: environment, profile, role. */
  credentials?: DynamodbCredentials | undefined
  /** Seconds until a connection has to be there. Defaults to 2. */
  connectTimeout?: number | undefined
  /** Seconds for one call, with what is sent again because it was throttled. Defaults to 2. */
  commandTimeout?: number | undefined
}

/** A URL, options, or a client of the AWS SDK that stays its owner's to close. */
export type DynamodbSource = string | URL | DynamodbStoreOptions | DynamodbClient

/** What was asked for, checked. */
export interface DynamodbSettings {
  client: DynamodbClient | undefined
  clientOptions: object
  /** Milliseconds; only where the client is ours. */
  commandTimeout: number | undefined
  table: string
  namespace: string
  partitions: number
  createTable: boolean
}

const kinds = {
  namespace: 'text',
  partitions: 'number',
  endpoint: 'text',
  createTable: 'boolean',
  connectTimeout: 'number',
  commandTimeout: 'number',
} as const

/** Tells whether `value` is a `DynamoDBClient`, by what it can do. */
export function isDynamodbClient(value: unknown): value is DynamodbClient {
  if (typeof value !== 'object' || value === null) return false
  const { send, config } = value as Partial<DynamodbClient>
  return typeof send === 'function' && typeof config === 'object' && config !== null
}

/** Checks `source` and `options`. Throws a `ConfigError` that repeats neither. */
export function dynamodbSettings(
  source: DynamodbSource,
  options: DynamodbStoreOptions,
): DynamodbSettings {
  if (isDynamodbClient(source)) {
    return { ...checked(options), client: source, commandTimeout: undefined }
  }
  const asOptions = typeof source === 'string' || source instanceof URL ? { url: source } : source
  if (typeof asOptions !== 'object' || asOptions === null) {
    throw new ConfigError(
      'dynamodbStore needs a dynamodb://region/table URL, options, or a DynamoDBClient of @aws-sdk/client-dynamodb.',
    )
  }
  const { url, ...given } = { ...asOptions, ...options }
  return checked({ ...(url === undefined ? {} : readUrl(url)), ...given })
}

function readUrl(url: string | URL): DynamodbStoreOptions {
  const { scheme, username, password, hosts, path, query } = parseStoreUrl(url)
  const table = path.replace(/^\//, '')
  if (scheme !== 'dynamodb' || hosts.length > 1 || table.includes('/')) {
    throw new ConfigError('The URL of dynamodbStore must be dynamodb://region/table.')
  }
  const hasCredentials = username !== undefined || password !== undefined
  const credentials = { accessKeyId: username ?? '', secretAccessKey: password ?? '' }
  return {
    ...(hosts[0] ? { region: hosts[0].host } : {}),
    ...(table ? { table } : {}),
    ...(hasCredentials ? { credentials } : {}),
    ...queryOptions(query, kinds),
  }
}

function checked(options: DynamodbStoreOptions): DynamodbSettings {
  const { table = 'behalf', namespace = 'behalf', partitions = 1, createTable = false } = options
  if (typeof createTable !== 'boolean') {
    throw new ConfigError('dynamodbStore: createTable must be true or false.')
  }
  return {
    client: undefined,
    ...checkedClient(options),
    table: checkTable(table),
    namespace: checkName('dynamodbStore: namespace', namespace),
    partitions: checkPartitions(partitions),
    createTable,
  }
}

/** What is not given is left away, so that the SDK looks for it itself. */
function checkedClient(options: DynamodbStoreOptions) {
  const { region, endpoint, credentials } = options
  const { connectTimeout = 2, commandTimeout = 2 } = options
  const connectMs = milliseconds('connectTimeout', connectTimeout)
  const commandMs = milliseconds('commandTimeout', commandTimeout)
  return {
    commandTimeout: commandMs,
    clientOptions: {
      ...(region === undefined ? {} : { region: checkRegion(region) }),
      ...(endpoint === undefined ? {} : { endpoint: checkEndpoint(endpoint) }),
      ...(credentials === undefined ? {} : { credentials: checkCredentials(credentials) }),
      // The SDK would send a write again of which nobody knows whether it was applied.
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: Math.min(connectMs, longestSocketMs),
        requestTimeout: Math.min(commandMs, longestSocketMs),
        throwOnRequestTimeout: true,
      },
    },
  }
}

/** No timer takes more: it would end at once. */
const longestMs = 2 ** 31 - 1
/** The SDK sets a timer to the sum of two. */
const longestSocketMs = 2 ** 30 - 1

/** Whole, since an `AbortSignal` takes nothing else. */
function milliseconds(option: string, seconds: number): number {
  return Math.min(Math.ceil(checkSeconds(`dynamodbStore: ${option}`, seconds) * 1000), longestMs)
}

/** `keys` and `clear` ask each of them. */
const mostPartitions = 1_000

function checkPartitions(partitions: number): number {
  if (checkCount('dynamodbStore: partitions', partitions) <= mostPartitions) return partitions
  throw new ConfigError(`dynamodbStore: partitions must be at most ${mostPartitions}.`)
}

/** AWS's own rule. It never becomes part of a statement, so that the rule of other backends is not needed. */
function checkTable(table: string): string {
  if (typeof table === 'string' && /^[\w.-]{3,255}$/.test(table)) return table
  throw new ConfigError(
    "dynamodbStore: table must be of letters, digits, '_', '-' and '.', and have 3 to 255 characters.",
  )
}

function checkRegion(region: string): string {
  if (typeof region === 'string' && /^[a-z0-9-]{1,63}$/.test(region)) return region
  throw new ConfigError('dynamodbStore: region must be a region of AWS, such as eu-central-1.')
}

function checkEndpoint(endpoint: string): string {
  const url = parsedUrl(endpoint)
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return endpoint
  throw new ConfigError('dynamodbStore: endpoint must be an http or https URL without credentials.')
}

function checkCredentials(credentials: DynamodbCredentials): DynamodbCredentials {
  if (typeof credentials === 'function') return credentials
  const { accessKeyId, secretAccessKey } = credentials ?? {}
  if (isText(accessKeyId) && isText(secretAccessKey)) return credentials
  throw new ConfigError(
    'dynamodbStore: credentials must be { accessKeyId, secretAccessKey } or a function that gives them.',
  )
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
