import { UnexpectedResponseError } from '../errors.ts'

/** The part of Standard Schema v1 (standardschema.dev) that a reply is checked with. */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
  }
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<{ readonly path?: ReadonlyArray<unknown> | undefined }> }

/** The value as the schema gives it; throws `UnexpectedResponseError` naming the field at fault. */
export async function validate<T>(
  provider: string,
  schema: StandardSchema<T>,
  value: unknown,
): Promise<T> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const path = result.issues[0]?.path?.slice(0, 10).map(nameOf).join('.')
  throw new UnexpectedResponseError(
    provider,
    `the reply does not fit its schema${path ? ` at ${path}` : ''}`,
  )
}

/** A name can be the reply's own (the key of a record): what is no plain word is not repeated. */
function nameOf(part: unknown): string {
  const key = typeof part === 'object' && part !== null && 'key' in part ? part.key : part
  return /^[\w$-]{1,40}$/.test(String(key)) ? String(key) : '*'
}
