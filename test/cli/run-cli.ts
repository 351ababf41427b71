import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** The client and the secret of a command line that logs in at the test provider. */
export const secret = 'Zq8m3vT1xWb7KpR4sYd9LcN2hGf6JuEa0oMiXtVnBwC'

/** Runs the command line; gives what it printed and how it ended. */
export async function runCli(args: readonly string[], env: Record<string, string> = {}) {
  const { printed, ended } = startCli(args, env)
  const [status] = await ended
  return { status, ...printed }
}

/** Starts the command line; what it prints is collected. */
export function startCli(args: readonly string[], env: Record<string, string> = {}) {
  const { DISPLAY: _1, WAYLAND_DISPLAY: _2, BROWSER: _3, ...inherited } = process.env
  const program = ['--import', 'tsx', 'src/cli/behalf.ts', ...args]
  const child = spawn(process.execPath, program, {
    env: { ...inherited, BEHALF_SECRET: secret, ...env },
  })
  const printed = { out: '', error: '' }
  child.stdout.on('data', (text) => (printed.out += text))
  child.stderr.on('data', (text) => (printed.error += text))
  return { child, printed, ended: once(child, 'close') as Promise<[number | null]> }
}

/** Resolves to the first match in what it says on stderr. */
export async function saidBy({ child, printed, ended }: ReturnType<typeof startCli>, what: RegExp) {
  for (;;) {
    const match = what.exec(printed.error)
    if (match) return match
    const more = await Promise.race([once(child.stderr, 'data'), ended.then(() => 'ended')])
    if (more === 'ended' && !what.test(printed.error)) {
      throw new Error(`It ended: ${printed.out} ${printed.error}`)
    }
  }
}
