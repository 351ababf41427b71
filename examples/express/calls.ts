import { AsyncLocalStorage } from 'node:async_hooks'
import type { NextFunction, Request, Response } from 'express'
import type { BehalfEvent, EventFields } from 'behalf'

/** One call of the upstream API, as behalf's event tells it. */
export type Call = EventFields['upstream'] & { at: number }

const keptCalls = 200
const ofThisRequest = new AsyncLocalStorage<Call[]>()
const latest: Call[] = []

/** Express middleware: calls made from here on belong to this request. */
export function collectCalls(_req: Request, _res: Response, next: NextFunction): void {
  ofThisRequest.run([], next)
}

/** Takes the events of behalf, which come in the middle of the request that they are about. */
export function recordCall(event: BehalfEvent): void {
  if (event.type !== 'upstream') return
  const call = { ...event, at: Date.now() }
  ofThisRequest.getStore()?.push(call)
  latest.unshift(call)
  latest.splice(keptCalls)
}

/** What this request has asked of the upstream API so far. */
export function callsOfThisRequest(): readonly Call[] {
  return ofThisRequest.getStore() ?? []
}

/** The last calls of the same partition before this request, newest first. */
export function earlierCalls(limit: number): readonly Call[] {
  const calls = callsOfThisRequest()
  const partition = calls[0]?.grant
  return latest.filter((call) => call.grant === partition && !calls.includes(call)).slice(0, limit)
}
