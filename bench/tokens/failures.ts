import type { TestProvider } from '../../src/testing/index.ts'

/** Of these calls, those that got no token, and those that got one which the provider does not take. */
export function failures(
  provider: TestProvider,
  calls: ReadonlyArray<{ token?: string | undefined }>,
): { withoutToken: number; withDeadToken: number } {
  const tokens = calls.flatMap(({ token }) => token ?? [])
  const dead = tokens.filter((token) => provider.accountOf(token) === undefined)
  return { withoutToken: calls.length - tokens.length, withDeadToken: dead.length }
}
