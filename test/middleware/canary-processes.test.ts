import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { removeBuiltPrograms } from '../torture/built-program.ts'
import { longerTimeouts, TokenArena } from '../torture/token-arena.ts'
import { tortureSecret } from '../torture/token-calls.ts'
import type { TokenProcess } from '../torture/token-process.ts'
import { Canaries, typesSeenIn } from '../support/canaries.ts'

const folder = mkdtempSync(join(tmpdir(), 'behalf-canary-processes-'))
afterAll(() => {
  removeBuiltPrograms()
  rmSync(folder, { recursive: true })
})

test('TK-14 G11 what processes that share a store, are stopped or killed have to tell holds no token either', async () => {
  const [waited, stood, died] = ['user-waited', 'user-stood', 'user-died'] as const
  const url = `sqlite:${join(folder, 'canary.sqlite')}`
  const arena = await TokenArena.open(url, [waited, stood, died], longerTimeouts)
  const canaries = new Canaries()
  canaries.plant(tortureSecret, arena.provider.overrides.clientSecret)
  const [calm, stopped, killed] = (await arena.startAll(3)) as [
    TokenProcess,
    TokenProcess,
    TokenProcess,
  ]
  const errors: string[] = []
  const expire = async (user: string) => {
    canaries.plant(await arena.refreshTokenOf(user))
    await arena.expire(user)
  }
  const call = async (by: TokenProcess, user: string) => {
    const outcome = await by.call(user, 2)
    canaries.plant(...outcome.tokens)
    errors.push(...outcome.errors)
    return outcome
  }

  // One refreshes, the other waits for it.
  await expire(waited)
  arena.provider.switches.delay = 0.2
  await Promise.all([call(calm, waited), call(stopped, waited)])
  arena.provider.switches.delay = 0

  // One stands still with the lease in its hands, until another has taken it.
  await expire(stood)
  const stop = await stopped.mark('after check', 'SIGSTOP')
  const late = call(stopped, stood)
  await stop.reached
  canaries.plant(await calm.lastWord(stood))
  stopped.resume()
  await late

  // One dies with what it was sent for a refresh token, which the provider then takes for stolen.
  await expire(died)
  const kill = await killed.mark('reply', 'SIGKILL')
  killed.call(died).catch(() => {})
  await kill.reached
  await killed.ended
  expect(await calm.lastWord(died)).toBe('reauth_required rotation-lost')
  await call(calm, died)

  for (const user of [waited, stood]) canaries.plant(await arena.refreshTokenOf(user))
  await arena.close()
  const processes = [calm, stopped, killed]
  const events = processes.flatMap((one) => one.events)
  const told = [...new Set(events.map(({ type }) => type))]
  expect(told).toEqual(expect.arrayContaining(typesSeenIn('several processes')))
  expect(errors.length).toBeGreaterThan(0)
  expect(canaries.count).toBeGreaterThanOrEqual(9)
  canaries.expectNoneIn('an event', events)
  canaries.expectNoneIn('an error', errors.join('\n'))
  canaries.expectNoneIn('the output', processes.map(({ output }) => output).join('\n'))
  for (const file of readdirSync(folder))
    canaries.expectNoneIn(`the file ${file}`, readFileSync(join(folder, file)))
}, 60_000)
