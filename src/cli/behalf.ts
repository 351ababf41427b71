#!/usr/bin/env node
import { doctor } from './doctor.ts'
import { importTokens } from './import-tokens.ts'
import { login } from './login.ts'
import { secret } from './secret.ts'
import { testServers } from './test-servers.ts'
import { token } from './token.ts'
import { UsageError } from './usage-error.ts'

const commands: Readonly<Record<string, (args: string[]) => void | Promise<void>>> = {
  doctor,
  import: importTokens,
  login,
  secret,
  'test-servers': testServers,
  token,
}

const help = `behalf: call third-party OAuth APIs on your users' behalf

Usage: behalf <command>

  login PROVIDER logs a user in from the terminal, and keeps the grant in the store
                   --store URL         where to, default BEHALF_STORE
                   --user ID           whose grant it is then (local)
                   --scope SCOPES      what to ask for
                   --redirect-uri URI  as registered (http://127.0.0.1:8888/callback)
                   --device            with a code, at another device
                   --no-browser        prints the address and opens nothing
                   --namespace NAME    as the option of behalf() (behalf)
  token PROVIDER tells whose grant it is and until when
                   --reveal            prints a valid access token, and nothing else
                   --store, --user, --namespace   as above
                 PROVIDER is spotify, google, github, microsoft, or a name of yours with --issuer URL, or with
                 --authorization-endpoint, --token-endpoint, --device-authorization-endpoint and --api.
                 Its client is read from NAME_CLIENT_ID and NAME_CLIENT_SECRET, or --client-id ID
  doctor [PROVIDER]
                 checks what is set, and says what to change: secret, base URL, cookies, store, clock,
                 the provider, and the running app as the browser sees it
                   --base-url URL      default BEHALF_BASE_URL
                   --base-path PATH    where the app's routes are (/auth)
                   --store, --issuer   as above
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
