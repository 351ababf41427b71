import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { ConfigError } from '../errors.ts'
import { KeyRing } from '../key-ring.ts'

/** The secrets, newest first, or what will give them. */
export type SecretOption =
  | string
  | readonly string[]
  | (() => string | readonly string[] | Promise<string | readonly string[]>)

/**
 * The key ring, or a function that makes it at first use. Secrets that are there are checked at
 * once. Without any, development keeps one of its own in `.behalf/`; an app that others can reach is refused.
 */
export function keyRingFrom(
  option: SecretOption | undefined,
  developing: boolean,
): KeyRing | (() => Promise<KeyRing>) {
  const secret = option ?? process.env['BEHALF_SECRET']
  if (typeof secret === 'function') return async () => ringOf(await secret())
  if (secret !== undefined && secret !== '') return ringOf(secret)
  if (!developing) {
    throw new ConfigError(
      'secret is missing. Make one with: npx behalf secret, and pass it or set BEHALF_SECRET.',
    )
  }
  return async () => ringOf(developmentSecret(join(process.cwd(), '.behalf')))
}

/** One text can hold several secrets, separated by commas or white space: so can the variable. */
function ringOf(secret: string | readonly string[]): KeyRing {
  return new KeyRing(typeof secret === 'string' ? secret.split(/[\s,]+/).filter(Boolean) : secret)
}

function developmentSecret(folder: string): string {
  const file = join(folder, 'secret')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })
    writeFileSync(join(folder, '.gitignore'), '*\n')
  } catch (error) {
    // Another process, or an earlier run, has made it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(folder)
  }
  return readFileSync(file, 'utf8').trim()
}

function unwritable(folder: string): ConfigError {
  return new ConfigError(
    `secret is missing, and ${folder} cannot be written to keep one for development. ` +
      'Pass secret or set BEHALF_SECRET; npx behalf secret makes one.',
  )
}
