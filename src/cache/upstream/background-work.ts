/** Keeps a process alive for work that goes on after the answer; a platform's `waitUntil`. */
export type Register = ((work: Promise<unknown>) => void) | undefined

/** Work that goes on when its call has been answered; its failure is nobody's error. */
export class BackgroundWork {
  readonly #work = new Set<Promise<void>>()
  readonly #names = new Set<string>()

  /** Begins work, unless work of that name is under way. */
  begin(name: string, work: () => Promise<unknown>, register: Register): void {
    if (this.#names.has(name)) return
    this.#names.add(name)
    // Who has looked before it ended may come a few steps later, and begins nothing either.
    const forget = () => setImmediate(() => this.#names.delete(name))
    this.goOn(work().finally(forget), register)
  }

  /** Takes over work that nobody waits for any more. */
  goOn(work: Promise<unknown>, register: Register): void {
    const done = () => void this.#work.delete(settled)
    const settled = work.then(done, done)
    this.#work.add(settled)
    register?.(settled)
  }

  /** Waits for all that is under way, and what that leaves behind. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work)
  }
}
