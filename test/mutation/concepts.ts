/** Code that must not change unnoticed, and the tests that guard it. */
export interface Concept {
  name: string
  sources: readonly string[]
  tests: readonly string[]
}

/** What an attacker would have to get past. */
export const concepts: readonly Concept[] = [
  {
    name: 'returnTo',
    sources: ['src/middleware/return-to.ts'],
    tests: ['test/middleware/return-to.test.ts'],
  },
  {
    name: 'transaction',
    sources: ['src/middleware/login-transaction.ts'],
    tests: ['test/middleware/login-transaction.test.ts'],
  },
  {
    name: 'token-reply',
    sources: ['src/oauth/token-set.ts'],
    tests: ['test/oauth/token-set.test.ts'],
  },
  {
    name: 'key',
    sources: ['src/cache/stored/partition.ts', 'src/oauth/record-keys.ts', 'src/stores/limits.ts'],
    tests: [
      'test/cache/partition.test.ts',
      'test/oauth/record-keys.test.ts',
      'test/stores/limits.test.ts',
    ],
  },
  {
    name: 'seal',
    sources: ['src/key-ring.ts', 'src/stores/sealed.ts', 'src/oauth/sealed-records.ts'],
    tests: ['test/stores/sealed.test.ts'],
  },
]
