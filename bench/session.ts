import { component } from '../test/components.ts'
import { startRedis } from '../test/support/redis-servers.ts'
import { createTestProvider } from '../src/testing/index.ts'
import { login } from './session/browser.ts'
import { get } from './session/load.ts'
import { Server } from './session/server.ts'

const rounds = 15
const warmUps = 2
const requests = 3_000
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
  { name: 'floor: id cookie + Map', program: 'floor' },
  { name: 'floor: id cookie + Redis GET', program: 'floor', needsRedis: true },
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

interface Measured {
  name: string
  /** CPU time of each round, microseconds. */
  used: number[]
  setCookie: number
}

async function measured(
  running: ReadonlyArray<{ name: string; server: Server; cookie: string }>,
): Promise<readonly Measured[]> {
  const results = running.map(({ name }): Measured => ({ name, used: [], setCookie: 0 }))
  for (let round = 1 - warmUps; round <= rounds; round += 1) {
    for (const [index, { server, cookie }] of running.entries()) {
      const result = results[index]!
      const before = await server.cpu()
      const { setCookie } = await get(`${server.origin}/token`, { cookie, requests, connections })
      if (round > 0) result.used.push((await server.cpu()) - before)
      result.setCookie = setCookie
    }
    process.stderr.write(`\rround ${round} of ${rounds} `)
  }
  process.stderr.write('\r\n')
  return results
}

function report(results: readonly Measured[]): boolean {
  const floor = median(results[0]!.used)
  console.log(`${'CPU time per request (median)'.padEnd(36)}µs   bare Express is 1   Set-Cookie`)
  const met: boolean[] = []
  for (const { name, used, setCookie } of results) {
    const ratio = median(used) / floor
    const bar = bars[name]
    const isMet = bar === undefined || ratio <= bar * slack
    met.push(isMet)
    const time = (median(used) / requests).toFixed(0).padStart(8)
    const verdict = bar === undefined ? '' : `  bar ${bar}${isMet ? '' : ' MISSED'}`
    const figures = `${time}   ${ratio.toFixed(2).padStart(17)}   ${setCookie} bytes`
    console.log(`${name.padEnd(30)}${figures}${verdict}`)
  }
  console.log(`A bar is missed from ${slack} times its value on: two busy cores tell no finer.`)
  return met.every(Boolean)
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)]!
}
