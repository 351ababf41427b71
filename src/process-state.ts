const registry = Symbol.for('behalf')

/**
 * Gives the one value of that name in this process, made at the first call.
 *
 * Frameworks load a module several times (Next.js gives proxy, pages and routes an instance each);
 * what must exist once, such as the refreshes under way, hangs on `globalThis` instead.
 */
export function processState<T extends object>(name: string, make: () => T): T {
  const holder = globalThis as { [registry]?: Map<string, object> }
  const values = (holder[registry] ??= new Map())
  let value = values.get(name) as T | undefined
  if (value === undefined) {
    value = make()
    values.set(name, value)
  }
  return value
}
