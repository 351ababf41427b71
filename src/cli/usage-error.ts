/** What the person at the terminal can put right; shown without a stack. */
export class UsageError extends Error {
  /** 2 for a wrong command line, 1 for what went wrong afterwards. */
  readonly exitCode: number

  constructor(message: string, exitCode = 2) {
    super(message)
    this.exitCode = exitCode
  }
}
