import { AsyncLocalStorage } from 'node:async_hooks'
import type { BehalfEvent, EventFields } from 'behalf'
import { logLine } from '../../express/call-log.ts'

/** One call of the upstream API, as behalf's event tells it. */
export type Call = EventFields['upstream']

/** Next.js loads this module once for pages and once for routes; both must mean the same one. */
const shared = globalThis as { callsOfThisPage?: AsyncLocalStorage<Call[]> }
const callsOfThisPage = (shared.callsOfThisPage ??= new AsyncLocalStorage())

/** Does some work, and gives the calls that it took. */
export async function withCalls<T>(work: () => Promise<T>): Promise<[result: T, calls: Call[]]> {
  const calls: Call[] = []
  return [await callsOfThisPage.run(calls, work), calls]
}

/** Takes the events of behalf, which come in the middle of the request that they are about. */
export function recordCall(event: BehalfEvent): void {
  if (event.type === 'upstream') callsOfThisPage.getStore()?.push(event)
  if (process.env['DEMO_LOG']) console.log(logLine(event, new Date(), false))
}
