import { ConfigError } from '../errors.ts'

/**
 * Loads an optional driver at its first use: what `require()` gives of it, which on all Nodes that we
 * run on takes ES modules too. Throws a `ConfigError` that says what to install.
 */
export async function loadDriver<T>(specifier: string): Promise<T> {
  try {
    return requireDriver(specifier) as T
  } catch (error) {
    if (!isAbsent(error, specifier)) throw error
    throw new ConfigError(`The driver ${specifier} is not installed: npm i ${specifier}`)
  }
}

/**
 * The same, but throws what Node throws. Bundlers follow `import()`, and `createRequire` where they
 * see it come from node:module, and would insist that an optional package is installed.
 */
export function requireDriver(specifier: string): unknown {
  const { createRequire } = process.getBuiltinModule('node:module')
  return createRequire(import.meta.url)(specifier)
}

/** Of the driver itself: what it needs in turn may be missing too. */
function isAbsent(error: unknown, specifier: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return /^(?:ERR_)?MODULE_NOT_FOUND$/.test(code ?? '') && message.includes(`'${specifier}'`)
}
