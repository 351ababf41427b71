const told = new Set<string>()

/**
 * Warns the developer, once for each kind of trouble: who causes it may be anybody, as often as
 * they like. `message` must hold nothing of a request.
 */
export function warnOnce(code: string, kind: string, message: string): void {
  if (told.has(`${code} ${kind}`)) return
  told.add(`${code} ${kind}`)
  const detail = 'Told once for each kind; onEvent is told of every one.'
  process.emitWarning(message, { type: 'BehalfWarning', code, detail })
}
