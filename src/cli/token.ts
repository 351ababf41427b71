import { readAll } from './arguments.ts'
import { storeNames, usualRedirectUri, withTerminalApp } from './terminal-app.ts'
import { providerNames, terminalProvider } from './terminal-provider.ts'
import { printable } from './printable.ts'
import { UsageError } from './usage-error.ts'

/**
 * `behalf token PROVIDER`: tells whose grant is in the store, and until when; with `--reveal` a valid
 * access token and nothing else, for a pipe.
 */
export async function token(args: string[]): Promise<void> {
  const { options, flags, positionals } = readAll(
    args,
    [...storeNames, ...providerNames],
    ['PROVIDER'],
    ['reveal'],
  )
  const name = positionals[0]!
  const provider = terminalProvider(name, options)
  const baseUrl = new URL(usualRedirectUri).origin
  const text = await withTerminalApp({ name, provider, baseUrl }, options, async (app, user) => {
    const tokens = (await app.forUser(user)).tokens[name]!
    if (flags.has('reveal')) return tokens.getAccessToken()
    const grant = await tokens.grant()
    if (!grant) throw new UsageError(`${user} is not logged in; use behalf login ${name}.`, 1)
    const { subject, profile, scope, expiresAt, authorizedAt, refreshExpiresAt } = grant
    return [
      `subject     ${printable(subject)}${profile.name === undefined ? '' : ` (${printable(profile.name)})`}`,
      `scope       ${printable(scope.join(' ')) || 'none'}`,
      `authorized  ${dateOf(authorizedAt)}`,
      `expires     ${expiresAt === undefined ? 'not said' : dateOf(expiresAt)}`,
      ...(refreshExpiresAt === undefined ? [] : [`login until ${dateOf(refreshExpiresAt)}`]),
    ].join('\n')
  })
  process.stdout.write(`${text}\n`)
}

function dateOf(instant: number): string {
  return new Date(instant).toISOString()
}
