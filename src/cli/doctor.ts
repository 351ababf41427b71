import { readAll } from './arguments.ts'
import { checkBaseUrl } from './doctor/base-url.ts'
import type { Finding } from './doctor/finding.ts'
import { checkProvider } from './doctor/provider-metadata.ts'
import { checkRunningApp } from './doctor/running-app.ts'
import { checkSecret } from './doctor/secret-strength.ts'
import { checkStore } from './doctor/store-reach.ts'
import { printable } from './printable.ts'
import { providerNames } from './terminal-provider.ts'

const marks = { ok: 'ok    ', note: 'note  ', change: 'CHANGE' }

/** `behalf doctor [PROVIDER]`: checks what is set, and says what to change; exit code 1 if anything. */
export async function doctor(args: string[]): Promise<void> {
  for await (const finding of examination(args)) {
    const { level, about, text } = finding
    process.stdout.write(`${marks[level]} ${about.padEnd(9)} ${printable(text)}\n`)
    if (level === 'change') process.exitCode = 1
  }
}

/** What the doctor finds, one check after the other. */
export async function* examination(args: string[]): AsyncGenerator<Finding, void> {
  const isNamed = args[0] !== undefined && !args[0].startsWith('-')
  const names = ['base-url', 'base-path', 'store', ...providerNames] as const
  const { options, positionals } = readAll(args, names, isNamed ? ['PROVIDER'] : [])
  const [provider] = positionals
  const { BEHALF_SECRET, BEHALF_BASE_URL, BEHALF_STORE, NODE_ENV } = process.env
  const { origin, found } = checkBaseUrl(options['base-url'] ?? BEHALF_BASE_URL)
  yield* checkSecret(BEHALF_SECRET, NODE_ENV === 'production')
  yield* found
  yield* await checkStore(options.store ?? BEHALF_STORE)
  if (provider !== undefined) yield* await checkProvider(provider, options)
  if (origin !== undefined) {
    yield* await checkRunningApp(origin, options['base-path'] ?? '/auth', provider)
  }
}
