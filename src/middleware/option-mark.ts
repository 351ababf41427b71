import { hash } from 'node:crypto'
import { sourceOf } from '../stores/store-source.ts'
import { type BehalfOptions, callbacks, type Providers } from './options.ts'

/** More is no configuration, or one that contains itself. */
const deepest = 8

/**
 * What tells configurations apart: a hash of everything in them but what functions do; `undefined`
 * where something cannot be compared, such as a store around a client of the app's own.
 */
export function markOf(options: BehalfOptions<Providers, never>): string | undefined {
  const given = callbacks.map((name) => [name, options[name] !== undefined])
  const comparable = {
    ...options,
    ...Object.fromEntries(given),
    cache: options.cache?.engine.options,
  }
  const text = textOf(comparable, 0)
  return text && hash('sha256', text, 'hex')
}

function textOf(value: unknown, depth: number): string | undefined {
  // A bundler writes each copy of a function in another way.
  if (typeof value === 'function') return 'function'
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  const source = sourceOf(value)
  if (source !== undefined) return source
  const isPlain = [Object.prototype, Array.prototype].includes(
    Object.getPrototypeOf(value) as object,
  )
  if (!isPlain || depth > deepest) return undefined
  const parts = Object.entries(value).map(([name, part]) => {
    const text = textOf(part, depth + 1)
    return text && `${JSON.stringify(name)}:${text}`
  })
  return parts.includes(undefined) ? undefined : `{${parts.join()}}`
}
