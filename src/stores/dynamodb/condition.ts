import type { Attribute } from './item.ts'

/** A part of an expression with the names and values that it needs. */
export interface Expression {
  text: string
  names: Record<string, string>
  values: Record<string, Attribute>
}

const liveNames = { '#version': 'version', '#value': 'value', '#expiresAt': 'expiresAt' }
const liveTypes = {
  ':text': { S: 'S' },
  ':bytes': { S: 'B' },
  ':number': { S: 'N' },
  ':none': { S: 'NULL' },
}
const liveText =
  'attribute_type(#version, :text) AND (attribute_type(#value, :bytes) OR ' +
  'attribute_type(#value, :number) OR attribute_type(#value, :none)) ' +
  'AND (attribute_not_exists(#expiresAt) OR #expiresAt > :now)'

/** True for an item that is ours and has not expired; all conditions rest on it. */
export function live(): Expression {
  return {
    text: liveText,
    names: liveNames,
    values: { ...liveTypes, ':now': { N: String(Date.now()) } },
  }
}

/** True where {@link live} is not. */
export function absent(): Expression {
  return { ...live(), text: `NOT (${liveText})` }
}

/** True for what is live under that version. */
export function liveVersion(version: string): Expression {
  const { text, names, values } = live()
  const value = { ':version': { S: version } }
  return { text: `${text} AND #version = :version`, names, values: { ...values, ...value } }
}

/** The expression as the condition of an operation. */
export function parameters({ text, names, values }: Expression): object {
  return {
    ConditionExpression: text,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  }
}
