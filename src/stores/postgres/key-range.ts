/** The highest character there is, as often as a key can hold it, and once more. */
const afterAnyKey = '\u{10FFFF}'.repeat(257)

/** What all keys that begin with `prefix` come before, in the order of their bytes (UTF-8). */
export function endOf(prefix: string): string {
  return prefix + afterAnyKey
}

/** The first thing after `key`: no key holds NUL. */
export function after(key: string): string {
  return `${key}\u0001`
}
