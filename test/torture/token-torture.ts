import { component } from '../components.ts'
import { type TortureBackend, tortureBackends } from './backends.ts'
import { tortureOutageAtReply } from './outage-reply.ts'
import { outageManners, tortureOutage } from './outage-torture.ts'
import { torturePlaces } from './place-torture.ts'
import { tortureSkippedAppend } from './rolling-skipped.ts'
import { tortureRolling } from './rolling-torture.ts'
import { tortureSubjects } from './subjects-torture.ts'
import { tortureDown } from './token-down.ts'
import { tortureExpiries } from './token-expiries.ts'
import { killMarks, losing, tortureKills } from './token-kills.ts'
import type { Mark } from './token-marks.ts'
import type { TokenResult } from './token-result.ts'
import { tortureSlow } from './token-slow.ts'
import { tortureLate, tortureLost, tortureStopped } from './token-stops.ts'

/** How much of it is done. */
export interface TokenExtent {
  /** Expiries, each with 200 calls of four processes. */
  expiries: number
  /** How often a process is stopped. */
  stops: number
  /** How often a process is killed at each mark. */
  kills: number
  /** Default all of them. */
  marks: readonly Mark[] | undefined
  /** Seconds for which a token endpoint is in trouble. */
  trouble: number
  /** Calls of two users and the app. */
  calls: number
  /** Seconds between the clocks of two processes. */
  clocks: number
}

/** One run of one part, on one store. */
export interface TokenRun {
  part: string
  /** What tells it from the other runs of its part. */
  name: string
  /** What `progress` counts in the end, and what that is. */
  total: number
  unit: string
  run(progress?: (more: number) => void): Promise<TokenResult>
}

const processes = 4
const callsAtOnce = 200
/** Of each of ten visitors, at each expiry. */
const placeCalls = 20

/**
 * All runs; those whose server or library is missing are left out with a loud line. What is about
 * time more than about a store has one store, whose writes never make the provider's process wait.
 */
export function tokenRuns(extent: TokenExtent): TokenRun[] {
  const backends = tortureBackends().filter(({ name }) =>
    ['redis', 'sqlite', 'file'].includes(name),
  )
  return [
    memory(extent),
    ...backends.flatMap((backend) => runsOnAll(backend, extent)),
    ...runsOnOne(backends.at(-1)!, extent),
    ...runsOfApps(backends, extent),
  ]
}

function memory({ expiries }: TokenExtent): TokenRun {
  return {
    part: 'expiries',
    name: 'memory',
    total: expiries * callsAtOnce,
    unit: 'calls',
    run: (progress) =>
      tortureExpiries({ url: 'memory:', processes: 1, expiries, calls: callsAtOnce, progress }),
  }
}

function runsOnAll(backend: TortureBackend, extent: TokenExtent): TokenRun[] {
  const { expiries, stops, kills, clocks, marks = killMarks } = extent
  const atLosing = marks.filter((mark) => losing.has(mark))
  const calls = callsAtOnce
  const expiring: Counted = [expiries * calls, 'calls']
  return [
    runOn(backend, 'expiries', '', expiring, (url, progress) =>
      tortureExpiries({ url, processes, expiries, calls, progress }),
    ),
    ...(component('libfaketime').present
      ? [
          runOn(backend, 'clocks', `${clocks} s apart`, expiring, (url, progress) =>
            tortureExpiries({ url, processes, expiries, calls, progress, clocks }),
          ),
        ]
      : []),
    runOn(backend, 'stopped', '', [stops, 'stops'], (url, progress) =>
      tortureStopped({ url, stops, progress }),
    ),
    runOn(backend, 'kills', 'strict', [kills * marks.length, 'kills'], (url, progress) =>
      tortureKills({ url, kills, progress, marks }),
    ),
    runOn(backend, 'kills', 'grace window', [kills * atLosing.length, 'kills'], (url, progress) =>
      tortureKills({ url, kills, progress, marks: atLosing, graceWindow: true }),
    ),
  ]
}

function runsOnOne(backend: TortureBackend, { stops, trouble: seconds }: TokenExtent): TokenRun[] {
  return [
    ...(['strict', 'grace window', 'no rotation'] as const).map((manner) =>
      runOn(backend, 'lost', manner, [stops, 'stops'], (url, progress) =>
        tortureLost({ url, stops, manner, progress }),
      ),
    ),
    runOn(backend, 'lost', 'late writes', [stops, 'stops'], (url, progress) =>
      tortureLate({ url, stops, progress }),
    ),
    ...(['strict', 'grace window'] as const).map((manner) =>
      runOn(backend, 'slow', manner, [seconds, 'seconds'], (url) =>
        tortureSlow({ url, processes, seconds, manner }),
      ),
    ),
    ...(['answers 503', 'hangs'] as const).map((how) =>
      runOn(backend, 'down', how, [seconds, 'seconds'], (url) =>
        tortureDown({ url, processes, seconds, how }),
      ),
    ),
  ]
}

/** Whole apps: restarts, outages, many users. */
function runsOfApps(backends: readonly TortureBackend[], extent: TokenExtent): TokenRun[] {
  const { calls, expiries, trouble: seconds } = extent
  const shared = backends.filter(({ name }) => name !== 'file')
  const run: TokenRun['run'] = (progress) =>
    tortureSubjects({ url: 'memory:', seed: 'long', calls, progress })
  const counted: Counted = [calls, 'calls']
  return [
    ...shared.flatMap((backend) => [
      runOn(backend, 'rolling', '', [1, 'rolls'], (url, progress) =>
        tortureRolling({ url, processes: 4, browsers: 16, retire: true, progress }),
      ),
      runOn(backend, 'rolling', 'a step left out', [1, 'rolls'], (url) =>
        tortureSkippedAppend({ url, browsers: 5 }),
      ),
    ]),
    ...shared.flatMap((backend) =>
      (['session', 'cookies', 'iron-session'] as const).map((tokens) =>
        runOn(
          backend,
          'places',
          tokens,
          [10 * expiries * placeCalls, 'requests'],
          (url, progress) =>
            torturePlaces({
              url,
              tokens,
              processes,
              visitors: 10,
              expiries,
              calls: placeCalls,
              progress,
            }),
        ),
      ),
    ),
    ...outages(seconds),
    { part: 'subjects', name: 'memory', total: calls, unit: 'calls', run },
    ...shared
      .filter(({ name }) => name === 'redis')
      .map((backend) =>
        runOn(backend, 'subjects', '', counted, (url, progress) =>
          tortureSubjects({ url, seed: 'long', calls, progress }),
        ),
      ),
  ]
}

function outages(seconds: number): TokenRun[] {
  if (!component('redis-server').present) return []
  return [
    ...outageManners.map((manner) => ({
      part: 'outage',
      name: `redis, ${manner}`,
      total: seconds,
      unit: 'seconds',
      run: () => tortureOutage({ manner, seconds, browsers: 20, bar: 300 }),
    })),
    {
      part: 'outage',
      name: 'redis, while new tokens come',
      total: 24,
      unit: 'outages',
      run: (progress) => tortureOutageAtReply({ rounds: 24, seconds: [0.3, 1, 2.6], progress }),
    },
  ]
}

type Counted = readonly [total: number, unit: string]
type Part = (url: string, progress?: (more: number) => void) => Promise<TokenResult>

function runOn(
  backend: TortureBackend,
  part: string,
  how: string,
  [total, unit]: Counted,
  run: Part,
): TokenRun {
  const name = how ? `${backend.name}, ${how}` : backend.name
  return { part, name, total, unit, run: (more) => on(backend, (url) => run(url, more)) }
}

async function on<T>({ start }: TortureBackend, use: (url: string) => Promise<T>): Promise<T> {
  const backend = await start()
  try {
    return await use(backend.url)
  } finally {
    await backend.close()
  }
}
