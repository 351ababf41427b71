import { randomBytes } from 'node:crypto'
import { createStore } from '../../src/stores/create-store.ts'
import { Fleet } from './fleet.ts'
import { isLinearizable } from './linearizable.ts'
import type { Call } from './linearizable.ts'
import type { MixedRecord } from './mixed-client.ts'
import { mixedVerdict } from './mixed-verdict.ts'

/** How much is done to a store. */
export interface TortureOptions {
  processes: number
  /** Mixed calls of each process. */
  operations: number
  histories: number
  /** Is told how many calls were made. */
  progress?: (operations: number) => void
}

/** What came of it; nothing wrong is an empty list. */
export interface TortureResult {
  operations: number
  leasesHeld: number
  histories: number
  wrong: string[]
}

/** Several processes use the store of one URL at the same time; tells what cannot be. */
export async function tortureStore(url: string, options: TortureOptions): Promise<TortureResult> {
  const fleet = await Fleet.start(url, options.processes, options.progress)
  const store = createStore(url)
  try {
    const prefix = `torture-${randomBytes(6).toString('hex')}`
    const task = { kind: 'mixed', prefix, operations: options.operations } as const
    const records = (await fleet.all<MixedRecord[]>(task)).flat()
    const wrong = await mixedVerdict(store, records)
    for (let index = 0; index < options.histories; index += 1) {
      const key = `${prefix}:history:${index}`
      const calls = (await fleet.all<Call[]>({ kind: 'history', key })).flat()
      if (!isLinearizable(calls)) wrong.push(`not linearizable: ${JSON.stringify(calls)}`)
    }
    await store.clear?.(`${prefix}:`)
    return {
      operations: records.reduce((sum, record) => sum + record.operations, 0),
      leasesHeld: records.reduce((sum, record) => sum + record.held.length, 0),
      histories: options.histories,
      wrong,
    }
  } finally {
    await store.close()
    await fleet.close()
  }
}
