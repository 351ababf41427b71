import { randomBytes } from 'node:crypto'
import { readArguments } from './arguments.ts'

/** `behalf secret`: prints 256 random bits as base64url. */
export function secret(args: string[]): void {
  readArguments(args, [])
  process.stdout.write(`${randomBytes(32).toString('base64url')}\n`)
}
