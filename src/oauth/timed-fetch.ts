import { types } from 'node:util'
import type { Agent, Dispatcher } from 'undici'
import { plainFetch } from './plain-fetch.ts'
import { type Presentation, presentationOf, sendingAtOnce } from './presentation.ts'

/** Seconds; see the option `timeouts`. */
export interface ConnectionTimeouts {
  /** Until there is a connection, TLS included. */
  readonly connect: number
  /** From the request to the headers of the reply. */
  readonly headers: number
  /** Between two parts of the reply's body. */
  readonly idle: number
}

/**
 * The global `fetch` with these time limits. An app that has set a dispatcher of its own (a proxy,
 * a mock) goes on using it, with its limits; only a plain `Agent` that was set before `behalf()` was
 * called cannot be told from Node's, and is the option `fetch`'s matter.
 */
export function timedFetch(timeouts: ConnectionTimeouts): typeof fetch {
  const usual = usualDispatchers()
  let agent: Promise<Agent> | undefined
  const send: typeof fetch = async (input, init) => {
    if (!isStill(usual)) return sendingAtOnce(plainFetch())(input, init)
    const presented = presentationOf(init)
    const limits = await (agent ??= agentWith(timeouts))
    const dispatcher = presented ? presentingThrough(limits, presented) : limits
    return plainFetch()(input, { ...init, dispatcher } as RequestInit)
  }
  made.add(send)
  return send
}

const made = new WeakSet<typeof fetch>()

/** Was it made here, and is not a `fetch` of the app's own? */
export function isTimedFetch(send: typeof fetch): boolean {
  return made.has(send)
}

/** The agent calls this part of a handler when it has a connection and is about to write to it. */
const beforeWriting = ['onRequestStart', 'onConnect'] as const

type Handler = Record<string, ((...args: unknown[]) => unknown) | undefined>

/** Between the decision to send and the sending lie name look-ups, handshakes and waiting lines. */
function presentingThrough(agent: Agent, presented: Presentation): Pick<Dispatcher, 'dispatch'> {
  return {
    dispatch(options, handler) {
      const checking = Object.create(handler) as Handler
      for (const name of beforeWriting) {
        const begin = checking[name]
        if (typeof begin !== 'function') continue
        checking[name] = function presentFirst(this: unknown, ...args) {
          presented.send()
          return begin.apply(this, args)
        }
      }
      return agent.dispatch(options, checking)
    },
  }
}

async function agentWith({ connect, headers, idle }: ConnectionTimeouts): Promise<Agent> {
  const { Agent } = await import('undici')
  return new Agent({
    connect: { timeout: connect * 1000 },
    headersTimeout: headers * 1000,
    bodyTimeout: idle * 1000,
  })
}

/** Where every copy of undici, Node's own and an app's, puts the one that is to be used. */
const places = ['1', '2'].map((version) => Symbol.for(`undici.globalDispatcher.${version}`))

/** What is there when nobody has set one; the wrapper makes undici 8's look like older ones. */
const usualNames = new Set(['Agent', 'Dispatcher1Wrapper'])

/** Node's own, made by now; `undefined` where the app has set another. */
function usualDispatchers(): ReadonlyArray<object | undefined> | undefined {
  // Whichever undici is loaded first becomes the whole process's: let that be Node's.
  void globalThis.Headers
  const found = current()
  const isUsual = found.every(
    (one) => one === undefined || (!types.isProxy(one) && usualNames.has(one.constructor.name)),
  )
  return isUsual ? found : undefined
}

function isStill(usual: ReadonlyArray<object | undefined> | undefined): boolean {
  return usual !== undefined && current().every((one, index) => one === usual[index])
}

function current(): ReadonlyArray<object | undefined> {
  const global = globalThis as unknown as Record<symbol, object | undefined>
  return places.map((place) => global[place])
}
