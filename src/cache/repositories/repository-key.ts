/** What tells one response of a repository from the others: the values of its key fields, in order. */
export type RepositoryKey = ReadonlyArray<string | undefined>

/** A key as callers give it: by field, or the value of the only field there is. */
export type KeyInput = string | Readonly<Record<string, string | undefined>>

/**
 * A key from what a caller gave. Throws a `RangeError` for a field that there is not, for a text where
 * there are several fields, and where the first one, without which there is no response, is missing.
 */
export function keyFrom(fields: readonly string[], input: KeyInput): RepositoryKey {
  if (typeof input === 'string') {
    if (fields.length > 1) throw new RangeError(`A key here has the fields ${fields.join(', ')}.`)
    return keyFrom(fields, { [fields[0]!]: input })
  }
  const unknown = Object.keys(input).find((name) => !fields.includes(name))
  if (unknown !== undefined) {
    throw new RangeError(`A key here has the fields ${fields.join(', ')} and no other.`)
  }
  const key = fields.map((name) => input[name])
  if (!key[0]) throw new RangeError(`A key here needs the field ${fields[0]}.`)
  return key
}

/** A key by field, as {@link keyFrom} takes it. */
export function fieldsOf(
  fields: readonly string[],
  key: RepositoryKey,
): Readonly<Record<string, string>> {
  const pairs = fields.map((name, index) => [name, key[index]] as const)
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined))
}
