import { components } from './setup.mjs'

/** A program that some tests need and `npm test` does not install. */
export interface Component {
  present: boolean
  /** Its executable; empty when it is not there. */
  path: string
}

/**
 * Looks for what `npm run test:setup` installs. Tests that need it are skipped without it
 * (`describe.skipIf(!component('chromium').present)`), with a line that says so; with `CI=true` it
 * throws instead, which fails the test file.
 */
export function component(name: string): Component {
  const known = components.find((entry) => entry.name === name)
  if (!known) throw new Error(`There is no component ${name} in test/setup.mjs.`)
  const path = known.path()
  if (path !== undefined) return { present: true, path }
  const missing = `${name} is missing: npm run test:setup installs it`
  if (process.env['CI'] === 'true') throw new Error(missing)
  process.stderr.write(`\n  SKIPPED TESTS: ${missing}.\n\n`)
  return { present: false, path: '' }
}
