// One of several processes that use the tokens of one store; see token-process.ts.

import type { BehalfEvent } from '../../src/index.ts'
import { createStore } from '../../src/stores/create-store.ts'
import { callAtOnce, type Outcome, tokenApp, type TokenSettings } from './token-calls.ts'
import { type Mark, Marks } from './token-marks.ts'

/** What the process is asked to do; several tasks may be under way. */
export type TokenTask =
  /** Asks for a user's access token, as many times at once, after `wait` seconds. */
  | { do: 'call'; user: string; calls: number; wait: number; refused: boolean }
  /** Sends a signal to itself at that point of its next refresh. */
  | { do: 'mark'; mark: Mark | undefined; signal: 'SIGSTOP' | 'SIGKILL' }
  /** Makes a new connection for the next request. */
  | { do: 'disconnect' }
  | { do: 'close' }

/** What it tells: a task's result, or that it is at the mark; then it is about to get the signal. */
export type TokenReply =
  | { ready: true; now: number }
  | { id: number; result: Outcome | true }
  | { id: number; error: string }
  | { at: Mark }
  | { event: BehalfEvent }

const settings = JSON.parse(process.argv[2] ?? '') as TokenSettings
const marks = new Marks()
const store = createStore(settings.url)
const app = tokenApp(settings, {
  store: marks.around(store),
  onEvent: (event) => {
    tell({ event })
    marks.event(event)
  },
})

process.on('message', ({ id, task }: { id: number; task: TokenTask }) => {
  if (task.do === 'close') return void close()
  run(task).then(
    (result) => tell({ id, result }),
    (error: unknown) => tell({ id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
// What the first request of a process loads would count towards time-outs that are this short.
await import('undici')
await (await fetch(settings.overrides.issuer)).text()
// On a machine that is busy starting others the store's first answer may come late.
while (
  !(await app.ready().then(
    () => true,
    () => false,
  ))
);
tell({ ready: true, now: Date.now() })

async function run(task: Exclude<TokenTask, { do: 'close' }>): Promise<Outcome | true> {
  switch (task.do) {
    case 'call':
      if (task.wait > 0) await new Promise((resolve) => setTimeout(resolve, task.wait * 1000))
      return callAtOnce(app, task.user, task.calls, task.refused)
    case 'mark': {
      const { mark, signal } = task
      marks.arm(mark, () => {
        tell({ at: mark! })
        process.kill(process.pid, signal)
      })
      return true
    }
    case 'disconnect':
      marks.disconnect()
      return true
  }
}

async function close(): Promise<void> {
  await app.close()
  await store.close()
  process.disconnect()
}

function tell(reply: TokenReply): void {
  if (process.connected) process.send?.(reply)
}
