#!/usr/bin/env node
import { importTokens } from './import-tokens.ts'
import { secret } from './secret.ts'
import { testServers } from './test-servers.ts'
import { UsageError } from './usage-error.ts'

const commands: Readonly<Record<string, (args: string[]) => void | Promise<void>>> = {
  import: importTokens,
  secret,
  'test-servers': testServers,
}

const help = `behalf: call third-party OAuth APIs on your users' behalf

Usage: behalf <command>

  import PROVIDER FILE
                 moves tokens that others have kept to the store: rows of Auth.js' accounts, or
                 spotipy's cache file; FILE is JSON, - reads it from the standard input. What is
                 there already stays. BEHALF_SECRET seals them.
                   --store URL         where to, default BEHALF_STORE
                   --user ID           whose, where the rows do not say (userId)
                   --namespace NAME    as the option of behalf() (behalf)
  secret         prints a fresh 256-bit secret, for the option secret or BEHALF_SECRET
  test-servers   runs an authorization server and an upstream API for development:
                   --provider-port N   port of the authorization server (4010)
                   --api-port N        port of the API (4020)
                   --host ADDRESS      where both listen (127.0.0.1)
  --help         prints this
`

const [name = '', ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined

if (name === '--help' || name === '-h' || (command && args.includes('--help'))) {
  process.stdout.write(help)
} else if (command) {
  try {
    await command(args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`behalf ${name}: ${error.message}\n`)
    process.exitCode = error.exitCode
  }
} else {
  process.stderr.write(name ? `behalf: there is no command "${name}".\n\n${help}` : help)
  process.exitCode = 2
}
