/** Work that goes on when its call has been answered; `settled()` waits for it. */
export class BackgroundWork {
  readonly #work = new Map<string, Promise<void>>()

  /** Begins nothing while work of that name is under way. Its failure is nobody's error. */
  begin(
    name: string,
    work: () => Promise<unknown>,
    register: ((work: Promise<unknown>) => void) | undefined,
  ): void {
    if (this.#work.has(name)) return
    const done = () => void this.#work.delete(name)
    const settled = work().then(done, done)
    this.#work.set(name, settled)
    register?.(settled)
  }

  /** Waits for all that is under way, and what that leaves behind. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work.values())
  }
}
