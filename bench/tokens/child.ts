import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A program of plain JavaScript in a process of its own that answers one message after the other. */
export class Child {
  readonly #process: ChildProcess
  /** What it said when it was ready. */
  readonly greeting: unknown

  /** `url` is the program's, `settings` its first argument as JSON. */
  static async start(url: URL, settings: object): Promise<Child> {
    const child = fork(fileURLToPath(url), [JSON.stringify(settings)], { execArgv: [] })
    return new Child(child, await messageOf(child))
  }

  private constructor(child: ChildProcess, greeting: unknown) {
    this.#process = child
    this.greeting = greeting
  }

  async ask<Answer>(question: object): Promise<Answer> {
    this.#process.send(question)
    return (await messageOf(this.#process)) as Answer
  }

  stop(): void {
    this.#process.kill()
  }
}

async function messageOf(child: ChildProcess): Promise<unknown> {
  const controller = new AbortController()
  const { signal } = controller
  try {
    const message = once(child, 'message', { signal })
    const exit = once(child, 'exit', { signal }).then(ended)
    exit.catch(() => {})
    const [answer] = (await Promise.race([message, exit])) as [unknown]
    return answer
  } finally {
    controller.abort()
  }
}

function ended(): never {
  throw new Error('A process of the bench ended before it answered; what it said is above.')
}
