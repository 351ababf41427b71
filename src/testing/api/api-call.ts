import type { ApiAccount } from './api-accounts.ts'
import type { ApiContent } from './api-content.ts'
import type { ReceivedRequest } from '../server/listen.ts'

/** A request whose access token is good. */
export interface ApiCall {
  readonly content: ApiContent
  readonly request: ReceivedRequest
  readonly account: ApiAccount
  /** The part of the path that names one thing, as it was sent; empty where there is none. */
  readonly id: string
}

/** Gives the JSON of the reply; throws an `ApiError` for what is wrong. */
export type ApiAnswer = (call: ApiCall) => unknown
