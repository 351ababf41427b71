import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { Store } from '../../src/stores/store.ts'
import { stormKeys, writeOf } from './write-storm.ts'

const program = fileURLToPath(new URL('write-storm.ts', import.meta.url))

/** How often writers are killed; `BEHALF_KILL_ROUNDS=200` for a long run. */
export const killRounds = Number(process.env['BEHALF_KILL_ROUNDS'] ?? 10)

/** Lets two processes write into a store, kills both at any moment and gives what they had done. */
export async function killWriters(backend: 'sqlite' | 'file', path: string): Promise<number[]> {
  const writers = [0, 1].map((storm) => new Writer(backend, path, storm))
  await Promise.all(writers.map((writer) => writer.started))
  await sleep(Math.random() * 150)
  await Promise.all(writers.map((writer) => writer.kill()))
  return writers.map((writer) => writer.done)
}

/** Looks for every key of the two: a whole value, and no older than what was acknowledged. */
export async function expectWhole(store: Store, done: readonly number[]): Promise<void> {
  for (const [storm, least] of done.entries()) {
    for (const key of stormKeys(storm)) {
      const found = await store.get(key)
      expect(found && writeOf(key, found.value)).toBeGreaterThanOrEqual(least)
      expect(found && writeOf(key, found.value)).toBeLessThanOrEqual(least + 1)
    }
  }
}

class Writer {
  readonly #child: ChildProcess
  readonly started: Promise<void>
  done = 0

  constructor(backend: string, path: string, storm: number) {
    const args = ['--import', 'tsx', program, backend, path, String(storm)]
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.started = new Promise((resolve, reject) => {
      this.#child.stdout?.on('data', (data: Buffer) => {
        this.done = Number(data.toString().trim().split('\n').at(-1))
        resolve()
      })
      this.#child.once('exit', () => reject(new Error('The writer ended by itself.')))
    })
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await ended
  }
}
