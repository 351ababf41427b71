const ownCharacters = /[^a-z0-9:-]/gu
const namespaceCharacters = /[^a-z0-9-]/gu

/**
 * Writes any text in the characters that every backend takes as they are; no two texts alike. What
 * is not of `a-z 0-9 : -` becomes `_` and two hexadecimal digits for each of its bytes.
 */
export function escapeKey(key: string): string {
  return key.replace(ownCharacters, escapeCharacter)
}

/** The same without `:`, which ends a namespace. */
export function escapeNamespace(namespace: string): string {
  return namespace.replace(namespaceCharacters, escapeCharacter)
}

/** What {@link escapeKey} was given, or `undefined` where it did not write `escaped`. */
export function unescapeKey(escaped: string): string | undefined {
  if (!/^(?:[a-z0-9:-]|_[0-9a-f]{2})*$/.test(escaped)) return undefined
  try {
    return decodeURIComponent(escaped.replaceAll('_', '%'))
  } catch {
    return undefined
  }
}

function escapeCharacter(character: string): string {
  return Buffer.from(character).toString('hex').replace(/../g, '_$&')
}
