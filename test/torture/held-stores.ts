import session, { type SessionData } from 'express-session'
import type { Store } from '../../src/stores/store.ts'
import type { Scheduler } from './scheduler.ts'

const operations = new Set([
  'get',
  'set',
  'delete',
  'compareAndSwap',
  'compareAndDelete',
  'getMany',
  'setMany',
  'deleteMany',
])

/** A store whose every call waits for the scheduler, before it is done and before it is answered. */
export function heldStore(store: Store, scheduler: Scheduler): Store {
  return new Proxy(store, {
    get: (target, property: keyof Store) => {
      const member = target[property]
      if (typeof member !== 'function') return member
      const call = member.bind(target) as (...args: unknown[]) => Promise<unknown>
      if (!operations.has(property)) return call
      return (...args: unknown[]) => scheduler.through(property, () => call(...args))
    },
  })
}

type Done<T = void> = (error?: unknown, value?: T) => void

/** express-session's MemoryStore, whose every call waits for the scheduler. */
export class HeldSessionStore extends session.MemoryStore {
  readonly #scheduler: Scheduler

  constructor(scheduler: Scheduler) {
    super()
    this.#scheduler = scheduler
  }

  override get(sid: string, done: Done<SessionData | null>): void {
    this.#through('session get', done, (then) => super.get(sid, then))
  }

  override set(sid: string, data: SessionData, done: Done = () => {}): void {
    // What is saved is what the session was when it was saved.
    const saved = structuredClone(JSON.parse(JSON.stringify(data))) as SessionData
    this.#through('session set', done, (then) => super.set(sid, saved, then))
  }

  override touch(sid: string, data: SessionData, done: Done = () => {}): void {
    this.#through('session touch', done, (then) => super.touch(sid, data, () => then()))
  }

  override destroy(sid: string, done: Done = () => {}): void {
    this.#through('session destroy', done, (then) => super.destroy(sid, then))
  }

  #through<T>(name: string, done: Done<T>, start: (then: Done<T>) => void): void {
    const work = () =>
      new Promise<T | undefined>((resolve, reject) => {
        start((error, value) => (error ? reject(error) : resolve(value)))
      })
    this.#scheduler.through(name, work).then(
      (value) => done(null, value),
      (error: unknown) => done(error),
    )
  }
}
