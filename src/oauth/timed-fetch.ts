import type { Agent } from 'undici'

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
 * a mock) goes on using it, with its limits.
 */
export function timedFetch(timeouts: ConnectionTimeouts): typeof fetch {
  let agent: Promise<Agent> | undefined
  return async (input, init) => {
    if (hasOwnDispatcher()) return fetch(input, init)
    const limited: object = { ...init, dispatcher: await (agent ??= agentWith(timeouts)) }
    return fetch(input, limited)
  }
}

async function agentWith({ connect, headers, idle }: ConnectionTimeouts): Promise<Agent> {
  // Whichever undici is loaded first becomes the whole process's: let that be Node's own.
  void globalThis.Headers
  const { Agent } = await import('undici')
  return new Agent({
    connect: { timeout: connect * 1000 },
    headersTimeout: headers * 1000,
    bodyTimeout: idle * 1000,
  })
}

/** Where every copy of undici, Node's own and an app's, puts the one that is to be used. */
const globalDispatchers = [
  Symbol.for('undici.globalDispatcher.1'),
  Symbol.for('undici.globalDispatcher.2'),
]

/** What is there when nobody has set one; the wrapper makes undici 8's look like older ones. */
const usualDispatchers = new Set(['Agent', 'Dispatcher1Wrapper'])

function hasOwnDispatcher(): boolean {
  const global = globalThis as unknown as Record<symbol, object | undefined>
  return globalDispatchers.some((name) => {
    const dispatcher = global[name]
    return dispatcher !== undefined && !usualDispatchers.has(dispatcher.constructor.name)
  })
}
