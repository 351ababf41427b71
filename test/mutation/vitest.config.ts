import { defineConfig } from 'vitest/config'

/** The tests of one concept; run.ts says which. */
export default defineConfig({
  test: {
    include: process.env['MUTATION_TESTS']!.split(','),
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
