import { StoreUnavailableError } from '../../errors.ts'
import { storeFailure } from '../failure.ts'
import type { KeyvClient } from './client.ts'

/** What lives longer than a century ends by its record, since not every adapter takes such a ttl. */
const longestTtlMs = 100 * 366 * 86_400_000

/** No timer takes more: it would end at once. */
const longestTimeoutMs = 2 ** 31 - 1

/**
 * The calls of a Keyv with their failures found out: Keyv and its adapters tell many of them by an
 * 'error' event only, and give nothing, or `false`. They are limited in time by {@link inTime}.
 */
export class KeyvCalls {
  readonly #keyv: KeyvClient
  readonly #timeoutMs: number
  #errors = 0
  #ended = false

  constructor(keyv: KeyvClient, timeoutMs: number) {
    this.#keyv = keyv
    this.#timeoutMs = Math.min(timeoutMs, longestTimeoutMs)
    keyv.on('error', this.#onError)
  }

  /** What is found needs no further proof; nothing may mean that the adapter has failed. */
  async read(key: string): Promise<unknown> {
    const errors = this.#begin()
    const found = await this.#keyv.getRaw(keyvKey(key)).catch(undefinedIfUnreadable)
    if (!found) this.#checkErrors(errors)
    return found?.value
  }

  async write(key: string, record: string, lives: number): Promise<void> {
    const errors = this.#begin()
    // Without a ttl Keyv would take its own default; 0 is none.
    const ttl = lives > longestTtlMs ? 0 : Math.ceil(lives)
    const done = await this.#keyv.set(keyvKey(key), record, ttl)
    if (done === false) throw failed()
    this.#checkErrors(errors)
  }

  async remove(key: string): Promise<void> {
    const errors = this.#begin()
    await this.#keyv.delete(keyvKey(key))
    this.#checkErrors(errors)
  }

  /** The records of all keys, and perhaps of other namespaces; a list that broke off is a failure. */
  async *records(): AsyncIterable<unknown> {
    const errors = this.#begin()
    const entries = this.#entries()
    try {
      for (;;) {
        const next = await this.inTime(() => entries.next())
        if (next.done) break
        yield (next.value as [key: unknown, record: unknown])[1]
      }
    } finally {
      // Not awaited: behind a next() that hangs it would hang too.
      entries.return(undefined).catch(() => {})
    }
    this.#checkErrors(errors)
  }

  /**
   * Gives what the calls give, or fails when they take too long. They go on then, since nobody can
   * stop an adapter. Nobody else sets a limit: a store that reaches over this process only gets none.
   */
  async inTime<T>(calls: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const tooLate = new Promise<never>((_resolve, reject) => {
      const late = () => reject(new StoreUnavailableError('Keyv did not answer in time'))
      timer = setTimeout(late, this.#timeoutMs)
    })
    try {
      return await Promise.race([calls(), tooLate])
    } catch (error) {
      throw keyvFailure(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Stops listening; whatever is called from now on is refused. */
  end(): void {
    this.#ended = true
    this.#keyv.off('error', this.#onError)
  }

  readonly #onError = () => {
    this.#errors += 1
  }

  /** It may have been another call's error: better a failure too many than a value that seems absent. */
  #checkErrors(before: number): void {
    if (this.#errors !== before) throw failed()
  }

  /** Gives the number of errors before a call. */
  #begin(): number {
    if (this.#ended) throw closed()
    return this.#errors
  }

  async *#entries(): AsyncGenerator<unknown, void> {
    yield* this.#keyv.iterator?.(this.#keyv.namespace) ?? []
  }
}

/** A `RangeError` is about an argument only where it is ours, and ours have been thrown before. */
function keyvFailure(error: unknown): unknown {
  return storeFailure('Keyv store', error instanceof RangeError ? undefined : error)
}

function closed(): StoreUnavailableError {
  return new StoreUnavailableError('it has been closed')
}

function failed(): StoreUnavailableError {
  return new StoreUnavailableError('Keyv reported an error')
}

/** Keyv does not prefix a key that begins with the namespace already, so that it would be another's. */
function keyvKey(key: string): string {
  return `=${key}`
}

/** What is not even JSON is not ours, and so absent. */
function undefinedIfUnreadable(error: unknown): undefined {
  if (!(error instanceof SyntaxError)) throw error
}
