import type { Store, StoredValue } from '../stores/store.ts'

/** What a home has under a key. */
export interface HomeValue extends StoredValue {
  /** A copy from before somebody replaced it; what replaced it is elsewhere. */
  isOutdated?: true | undefined
}

/** Where records lie: the app's store, or a place that comes with each request. */
export interface RecordHome extends Store {
  get(key: string): Promise<HomeValue | undefined>
  /** Set where it comes with a request, and is as good as gone with it. */
  readonly request?: HomeOfRequest | undefined
}

/** What a home that comes with a request can still do. */
export interface HomeOfRequest {
  /** What is written now reaches the place, or waits beside it where the next request finds it. */
  readonly keeps: boolean
}
