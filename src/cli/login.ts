import type { BehalfEvent } from '../events.ts'
import type { Grant } from '../oauth/token-handler.ts'
import { readAll } from './arguments.ts'
import { openBrowser } from './browser.ts'
import { LoopbackListener } from './loopback-listener.ts'
import {
  type StoreArguments,
  storeNames,
  usualRedirectUri,
  withTerminalApp,
} from './terminal-app.ts'
import {
  type ProviderArguments,
  providerNames,
  terminalProvider,
  variablePrefix,
} from './terminal-provider.ts'
import { printable } from './printable.ts'
import { UsageError } from './usage-error.ts'
import { parsedUrl } from '../parsed-url.ts'

/** Milliseconds that a login may take, from the first address that is shown. */
const patience = 15 * 60_000

/** `behalf login PROVIDER`: logs a user in from the terminal, by a browser here or a code elsewhere. */
export async function login(args: string[]): Promise<void> {
  const { options, flags, positionals } = readAll(
    args,
    [...storeNames, ...providerNames],
    ['PROVIDER'],
    ['device', 'no-browser'],
  )
  const name = positionals[0]!
  const grant = flags.has('device')
    ? await deviceLogin(name, options)
    : await browserLogin(name, options, !flags.has('no-browser'))
  const who = grant.profile.name ?? grant.subject
  process.stdout.write(
    `Logged in at ${name} as ${printable(who)}, for ${printable(grant.scope.join(' ')) || 'no scope'}.\n`,
  )
}

async function browserLogin(
  name: string,
  given: ProviderArguments & StoreArguments,
  opens: boolean,
): Promise<Grant> {
  const redirectUri = redirectUriOf(name, given)
  const provider = terminalProvider(name, { ...given, 'redirect-uri': redirectUri.href })
  const end = new LoginEnd()
  const baseUrl = redirectUri.origin
  return withTerminalApp(
    { name, provider, baseUrl, onEvent: end.note },
    given,
    async (app, user) => {
      const listener = await LoopbackListener.open(app, redirectUri)
      try {
        const address = `${baseUrl}/auth/${name}/login?key=${listener.key}`
        process.stderr.write(`Log in at ${address}\n`)
        if (opens) openBrowser(address)
        await end.reached(patience)
        await listener.shown()
        return (await (await app.forUser(user)).tokens[name]!.grant())!
      } finally {
        await listener.close()
      }
    },
  )
}

async function deviceLogin(
  name: string,
  given: ProviderArguments & StoreArguments,
): Promise<Grant> {
  const provider = terminalProvider(name, given)
  const { origin } = new URL(usualRedirectUri)
  return withTerminalApp({ name, provider, baseUrl: origin }, given, async (app, user) => {
    const begun = await app.grants.deviceLogin(name, { user })
    process.stderr.write(
      printable(`Open ${begun.verificationUri} and enter ${begun.userCode}`) + '\n',
    )
    const { verificationUriComplete: direct } = begun
    if (direct !== undefined) process.stderr.write(`or open ${printable(direct)}\n`)
    return begun.grant
  })
}

/** Registered at the provider: spotipy's users have one already. */
function redirectUriOf(name: string, given: ProviderArguments): URL {
  const variable = `${variablePrefix(name)}_REDIRECT_URI`
  const text = given['redirect-uri'] ?? process.env[variable] ?? usualRedirectUri
  const uri = parsedUrl(text)
  if (uri?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(uri.hostname)) {
    return uri
  }
  throw new UsageError(`--redirect-uri must be of this machine, as ${usualRedirectUri}.`)
}

/** Waits for the login that is under way. */
class LoginEnd {
  #end: ((failure?: string) => void) | undefined
  readonly #ended = new Promise<string | undefined>((resolve) => (this.#end = resolve))

  readonly note = (event: BehalfEvent): void => {
    if (event.type === 'login') this.#end?.()
    // Anybody on this machine may call the callback: what is no login of ours ends nothing.
    if (event.type === 'login_failed' && !event.code.startsWith('state_')) this.#end?.(event.code)
  }

  /** Throws a `UsageError` when it failed, or took longer than so many milliseconds. */
  async reached(within: number): Promise<void> {
    const timer = setTimeout(() => this.#end?.('nobody has finished it'), within)
    const failure = await this.#ended
    clearTimeout(timer)
    if (failure !== undefined) throw new UsageError(`the login failed (${failure}).`, 1)
  }
}
