import { ConfigError, StoreUnavailableError } from '../../errors.ts'
import { storeFailure } from '../failure.ts'

/** Tells whether DynamoDB or its SDK calls the error one of these names. */
export function isNamed(error: unknown, ...names: string[]): boolean {
  return names.includes((error as Error | undefined)?.name ?? '')
}

/** Tells whether a write was refused because its condition does not hold. */
export function isRefused(error: unknown): boolean {
  return isNamed(error, 'ConditionalCheckFailedException')
}

/** Tells whether DynamoDB had no capacity for the request, and so has certainly not applied it. */
export function isThrottled(error: unknown): boolean {
  return isNamed(
    error,
    'ThrottlingException',
    'ProvisionedThroughputExceededException',
    'RequestLimitExceeded',
    'ThrottledException',
  )
}

/** How often the SDK has sent what gave this reply or error. */
export function attemptsOf(result: unknown): number {
  return (result as { $metadata?: { attempts?: number } } | undefined)?.$metadata?.attempts ?? 1
}

/** The error of a write that the SDK has sent several times, so that nobody knows its outcome. */
export function unknownOutcome(): StoreUnavailableError {
  return new StoreUnavailableError('the AWS SDK has repeated a write, whose outcome is not known')
}

/** A failure without the SDK's text, which may quote keys; only the name of the error stays. */
export function dynamodbFailure(error: unknown): unknown {
  if (isNamed(error, 'ResourceNotFoundException')) return noTable()
  const failure = storeFailure('DynamoDB store', error)
  const { name } = error as Error
  if (failure === error || !/^(?!Error$)[A-Za-z]{1,60}$/.test(name)) return failure
  return new StoreUnavailableError(`the DynamoDB store failed (${name})`)
}

function noTable(): ConfigError {
  return new ConfigError(
    'The DynamoDB table of the store is not there in this account and region. Create it with the partition key ' +
      'namespace (S), the sort key key (S) and TTL on the attribute expires, or set the option createTable.',
  )
}
