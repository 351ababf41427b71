// One of the clients of a fleet: tasks come as messages, and their results go back.

import { createStore } from '../../src/stores/create-store.ts'
import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import type { Task } from './fleet.ts'
import { recordHistory } from './history-client.ts'
import { MixedClient } from './mixed-client.ts'
import type { MixedRecord } from './mixed-client.ts'

const [url = '', name = ''] = process.argv.slice(2)
const store = createStore(url)

/** Several calls are under way at a time, as in a server. */
const lanes = 4

process.on('message', (task: Task) => {
  if (task.kind === 'close') return void store.close().finally(() => process.disconnect())
  void run(task).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.send?.({ ready: true })

async function run(task: Exclude<Task, { kind: 'close' }>): Promise<unknown> {
  if (task.kind === 'history') {
    return recordHistory(store, task.key, name, new SeededRandom(`${name} ${task.key}`))
  }
  return mixed(task)
}

async function mixed({ prefix, operations }: Task & { kind: 'mixed' }): Promise<MixedRecord[]> {
  const clients = Array.from({ length: lanes }, (_, lane) => {
    const seed = `${prefix} ${name} ${lane}`
    return new MixedClient(store, {
      name: `${name}.${lane}`,
      prefix,
      random: new SeededRandom(seed),
    })
  })
  await Promise.all(
    clients.map((client) =>
      client.run(operations / lanes, () => process.send?.({ progress: 100 })),
    ),
  )
  return clients.map((client) => client.record)
}
