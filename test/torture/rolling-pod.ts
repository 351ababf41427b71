import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProviderOverrides } from '../../src/testing/index.ts'
import { builtProgram } from './built-program.ts'
import { sendRequest, type WebReply } from './web-browser.ts'

/** How a process of the app is set up. */
export interface PodSettings {
  /** The store's URL. */
  url: string
  secret: readonly string[]
  overrides: ProviderOverrides
  apiBaseUrl: string
  /** Where the tokens are, when not in the store. */
  tokens?: PodTokens | undefined
}

/** What requests bring their tokens along in. */
export type PodTokens = 'session' | 'cookies' | 'iron-session'

/** What a process tells: that it listens; what its end was like. */
export type PodReply = { port: number } | PodEnd

/** Of the end of a process. */
export interface PodEnd {
  /** Refreshes under way when there was no request any more. */
  underWay: number
  /** What was still under way when it had closed. */
  left: number
  /** How long `close()` took. */
  seconds: number
}

/** What the browsers call the app, whichever process they reach. */
export const publicOrigin = 'http://127.0.0.1:3000'

/** Milliseconds from the last request that is sent to a process until it is told to end. */
const drain = 150

/** A process of its own that serves the app. */
export class Pod {
  readonly secret: readonly string[]
  readonly #child: ChildProcess
  readonly #port: number
  readonly #ended: Promise<unknown>

  private constructor(child: ChildProcess, port: number, secret: readonly string[]) {
    this.#child = child
    this.#port = port
    this.secret = secret
    this.#ended = once(child, 'exit').then(() => running.delete(child))
  }

  static async start(settings: PodSettings): Promise<Pod> {
    const child = fork(await builtProgram('rolling-program'), [JSON.stringify(settings)], {
      execArgv: [],
    })
    running.add(child)
    const ended = once(child, 'exit').then(() => {
      throw new Error('A process of the app has ended before it was ready.')
    })
    ended.catch(() => {})
    const [{ port }] = (await Promise.race([once(child, 'message'), ended])) as [{ port: number }]
    return new Pod(child, port, settings.secret)
  }

  /** Sends it a request that a load balancer would have sent it. */
  send(path: string, headers: Record<string, string>): Promise<WebReply> {
    return this.#request('GET', path, headers)
  }

  /** The same for what changes something. */
  post(path: string, headers: Record<string, string>): Promise<WebReply> {
    return this.#request('POST', path, headers)
  }

  #request(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
  ): Promise<WebReply> {
    const { host } = new URL(publicOrigin)
    const url = new URL(path, `http://127.0.0.1:${this.#port}`)
    return sendRequest(url, method, { ...headers, host })
  }

  /** Ends it as a deployment does. */
  async end(): Promise<PodEnd> {
    await sleep(drain)
    const told = once(this.#child, 'message')
    this.#child.send('close')
    const [end] = (await told) as [PodEnd]
    await this.#ended
    return end
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
