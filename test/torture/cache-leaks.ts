import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { builtProgram } from './built-program.ts'
import { joinLedgers, wrongIn } from './cache-ledger.ts'
import { CacheLoad, type CacheLoadResult, type CacheLoadSettings } from './cache-load.ts'
import type { CacheLoadReply, CacheLoadTask } from './cache-load-program.ts'
import { lyingStore } from './cache-lying-store.ts'
import type { TokenResult } from './token-result.ts'

/** How much load, on what. */
export interface CacheLeaksOptions extends Pick<
  CacheLoadSettings,
  'url' | 'seed' | 'memory' | 'partition' | 'collapse'
> {
  /** One makes its requests in this process. */
  processes: number
  /** Of all together. */
  requests: number
  /** The part of the reads of the caches' store that go wrong. */
  lies?: number | undefined
  /** Is told of each thousand requests. */
  progress?: ((requests: number) => void) | undefined
}

/**
 * A hundred users' random calls for the same paths, from several processes, while users log out, log
 * in again and take each other's place in a browser, tokens are refreshed, calls are aborted and time
 * out, and what is stored is invalidated: each reply says whom it was made for, and nobody is served
 * what is not for them, nor what was made for a login that is over.
 */
export async function tortureCacheLeaks(options: CacheLeaksOptions): Promise<TokenResult> {
  const { processes, requests, partition, lies = 0 } = options
  const results = processes === 1 ? [await here(options)] : await inProcesses(options)
  const counts: Record<string, number> = {}
  for (const [what, count] of results.flatMap((result) => Object.entries(result.counts))) {
    counts[what] = (counts[what] ?? 0) + count
  }
  const wrong = [
    ...results.flatMap((result) => result.wrong),
    ...wrongIn(joinLedgers(results.map(({ ledger }) => ledger)), partition === 'subject'),
  ]
  if ((counts['requests'] ?? 0) < requests) wrong.push(`only ${counts['requests']} requests`)
  // What shows nothing proves nothing.
  if ((counts['hit'] ?? 0) < requests * (lies > 0 ? 0.02 : 0.1))
    wrong.push('hardly anything was cached')
  return { figures: counts, wrong }
}

function settingsOf(options: CacheLeaksOptions, index: number): CacheLoadTask {
  const { progress: _, requests, url, ...settings } = options
  return {
    ...settings,
    // A process has one memory of each name.
    url: url === 'memory:' ? `memory:${randomBytes(6).toString('hex')}` : url,
    process: index,
    requests: Math.ceil(requests / options.processes),
  }
}

async function here(options: CacheLeaksOptions): Promise<CacheLoadResult> {
  const { lies = 0, seed } = options
  const load = new CacheLoad(settingsOf(options, 0), (store) =>
    lies === 0 ? store : lyingStore(store, lies, new SeededRandom(`${seed} lies`)),
  )
  try {
    await load.begin()
    return await load.run(options.progress)
  } finally {
    await load.close()
  }
}

async function inProcesses(options: CacheLeaksOptions): Promise<CacheLoadResult[]> {
  const program = await builtProgram('cache-load-program')
  const children = Array.from({ length: options.processes }, (_, index) =>
    fork(program, [JSON.stringify(settingsOf(options, index))], { execArgv: [] }),
  )
  const kill = () => children.forEach((child) => child.kill('SIGKILL'))
  process.once('exit', kill)
  try {
    await Promise.all(children.map((child) => reply(child, (one) => 'ready' in one)))
    return await Promise.all(
      children.map(async (child) => {
        child.send('run')
        const last = await reply(child, (one) => {
          if ('progress' in one) options.progress?.(one.progress)
          return 'result' in one || 'error' in one
        })
        if ('result' in last) return last.result
        throw new Error('error' in last ? last.error : 'A process told nothing.')
      }),
    )
  } finally {
    // They close by themselves; who does not has had its time.
    await Promise.race([Promise.all(children.map(hasEnded)), sleep(8_000)])
    kill()
    process.off('exit', kill)
  }
}

/** Rejects when the process ends before. */
function reply(
  child: ChildProcess,
  isIt: (reply: CacheLoadReply) => boolean,
): Promise<CacheLoadReply> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('A process of the load has ended.'))
    const hear = (one: CacheLoadReply) => {
      if (!isIt(one)) return
      child.off('message', hear).off('exit', gone)
      resolve(one)
    }
    child.on('message', hear).once('exit', gone)
  })
}

async function hasEnded(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
