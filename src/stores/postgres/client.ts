/** What a statement gives: its rows by column, and how many it found or changed. */
export interface PostgresResult {
  rows: readonly unknown[]
  rowCount: number | null
}

/**
 * The part of a client that behalf calls: a `Pool` or a `Client` of pg, or anything that runs a
 * statement with parameters (`$1`) in the same way, takes an array of texts as one and gives bytes
 * for `bytea`.
 */
export interface PostgresClient {
  query(text: string, values: unknown[]): Promise<PostgresResult>
}

/** Tells whether `value` can be handed to {@link postgresStore} as a client. */
export function isPostgresClient(value: unknown): value is PostgresClient {
  return typeof (value as Partial<PostgresClient> | null | undefined)?.query === 'function'
}
