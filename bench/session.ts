import { component } from '../test/components.ts'
import { startRedis } from '../test/support/redis-servers.ts'
import { createTestProvider } from '../src/testing/index.ts'
import { login } from './session/browser.ts'
import { get } from './session/load.ts'
import { Server } from './session/server.ts'

const rounds = 7
const warmUps = 2
const requests = 4_000
const connections = 50

/** What a session with a valid token at hand may cost, in the CPU time of bare Express. */
const bars: Readonly<Record<string, number>> = {
  'behalf, memory': 1.15,
  'behalf, Redis': 1.25,
}

/** What is told apart by noise is not told apart (two busy cores). */
const slack = 1.3

const contestants: ReadonlyArray<{ name: string; program: string; needsRedis?: boolean }> = [
  { name: 'bare Express', program: 'bare' },
  { name: 'behalf, memory', program: 'behalf' },
  { name: 'behalf, Redis', program: 'behalf', needsRedis: true },
  { name: 'iron-session', program: 'iron-session' },
  { name: 'express-openid-connect', program: 'express-openid-connect' },
  { name: '@auth/express', program: 'auth-express' },
]

/**
 * One process each, 50 connections, a route that needs the access token and has it: the CPU time
 * per request beside that of an Express route that needs nothing, in turns. Gives whether our bars
 * were met.
 */
export async function run(): Promise<boolean> {
  const provider = await createTestProvider()
  const redis = component('redis-server').present ? await startRedis() : undefined
  const running: Array<{ name: string; server: Server; cookie: string }> = []
  try {
    for (const { name, program, needsRedis } of contestants) {
      if (needsRedis && !redis) continue
      const { overrides } = provider
      const store = needsRedis ? redis?.url : 'memory:'
      const server = await Server.start(program, { store, ...overrides })
      running.push({ name, server, cookie: await login(server.origin) })
    }
    return report(await measured(running))
  } finally {
    for (const { server } of running) server.stop()
    await redis?.close()
    await provider.close()
  }
}

type Measured = Map<string, { ratios: number[]; setCookie: number }>

async function measured(
  running: ReadonlyArray<{ name: string; server: Server; cookie: string }>,
): Promise<Measured> {
  const results: Measured = new Map()
  for (let round = 1 - warmUps; round <= rounds; round += 1) {
    let bare = Number.NaN
    for (const { name, server, cookie } of running) {
      const before = await server.cpu()
      const { setCookie } = await get(`${server.origin}/token`, { cookie, requests, connections })
      const used = (await server.cpu()) - before
      if (name === 'bare Express') bare = used
      const { ratios } = results.get(name) ?? { ratios: [] }
      results.set(name, { ratios: round < 1 ? [] : [...ratios, used / bare], setCookie })
    }
    process.stderr.write(`\rround ${round} of ${rounds}`)
  }
  process.stderr.write('\r\n')
  return results
}

function report(results: Measured): boolean {
  console.log(
    `${'CPU time per request, bare Express is 1'.padEnd(42)}median   min-max   Set-Cookie`,
  )
  const met: boolean[] = []
  for (const [name, { ratios, setCookie }] of results) {
    const [median, least, most] = quantiles(ratios)
    const bar = bars[name]
    const isMet = bar === undefined || median <= bar * slack
    met.push(isMet)
    const figures = `${median.toFixed(2)}   ${least.toFixed(2)}-${most.toFixed(2)}`
    const verdict = bar === undefined ? '' : `  bar ${bar}${isMet ? '' : ' MISSED'}`
    console.log(`${name.padEnd(42)}  ${figures}   ${setCookie} bytes${verdict}`)
  }
  return met.every(Boolean)
}

function quantiles(numbers: readonly number[]): [median: number, least: number, most: number] {
  const sorted = numbers.toSorted((one, other) => one - other)
  return [sorted[Math.floor(sorted.length / 2)]!, sorted[0]!, sorted.at(-1)!]
}
