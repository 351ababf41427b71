import { ConfigError } from '../errors.ts'

/**
 * Loads an optional driver at its first use. Throws a `ConfigError` that says what to install.
 */
export async function loadDriver<T>(specifier: string): Promise<T> {
  try {
    return await importDriver<T>(specifier)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new ConfigError(`The driver ${specifier} is not installed: npm i ${specifier}`)
  }
}

/** Not a literal import: bundlers would insist that an optional package is installed. */
export async function importDriver<T>(specifier: string): Promise<T> {
  return (await import(
    /* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ specifier
  )) as T
}
