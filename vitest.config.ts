import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Vitest leaves a core to itself, which on two cores would be half of the machine; in CI what
    // waits for servers has it to itself.
    maxWorkers: process.env['CI'] ? 1 : 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
