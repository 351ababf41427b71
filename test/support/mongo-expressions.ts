import { add, compare, MongoError, subtract, typeOf } from './mongo-values.ts'
import type { Document } from './mongo-values.ts'

/** What an expression is evaluated for; `now` is the server's clock when the command began. */
export interface Scope {
  document: Document
  now: Date
}

type Operator = (operands: unknown[], scope: Scope) => unknown

/** The operators that get their operands evaluated. */
const operators: Readonly<Record<string, Operator>> = {
  $eq: ([a, b]) => compare(a, b) === 0,
  $ne: ([a, b]) => compare(a, b) !== 0,
  $gt: ([a, b]) => compare(a, b) > 0,
  $gte: ([a, b]) => compare(a, b) >= 0,
  $lt: ([a, b]) => compare(a, b) < 0,
  $lte: ([a, b]) => compare(a, b) <= 0,
  $in: ([a, list]) => (list as unknown[]).some((item) => compare(a, item) === 0),
  $not: ([a]) => !truthy(a),
  $type: ([a]) => typeOf(a),
  $ifNull: ([a, b]) => (a === undefined || a === null ? b : a),
  $add: ([a, b]) => add(a, b),
  $subtract: ([a, b]) => subtract(a, b),
}

/** Evaluates an aggregation expression; one that the stand-in does not know is an error. */
export function evaluate(expression: unknown, scope: Scope): unknown {
  if (typeof expression === 'string') return evaluateText(expression, scope)
  if (Array.isArray(expression)) return expression.map((item) => evaluate(item, scope) ?? null)
  if (typeOf(expression) !== 'object') return expression
  const [name, operand] = Object.entries(expression as Document)[0] ?? ['', undefined]
  if (!name.startsWith('$')) return evaluateFields(expression as Document, scope)
  return evaluateOperator(name, operand, scope)
}

function evaluateText(text: string, { document, now }: Scope): unknown {
  if (text === '$$NOW') return now
  if (text === '$$ROOT') return document
  if (text === '$$REMOVE') return undefined
  if (text.startsWith('$$')) throw unknown(text)
  return text.startsWith('$') ? field(document, text.slice(1)) : text
}

function evaluateFields(fields: Document, scope: Scope): Document {
  const values = Object.entries(fields).map(([name, part]) => [name, evaluate(part, scope)])
  return Object.fromEntries(values.filter(([, value]) => value !== undefined))
}

function evaluateOperator(name: string, operand: unknown, scope: Scope): unknown {
  const list = Array.isArray(operand) ? operand : [operand]
  const isTrue = (item: unknown) => truthy(evaluate(item, scope))
  if (name === '$literal') return operand
  if (name === '$and') return list.every(isTrue)
  if (name === '$or') return list.some(isTrue)
  if (name === '$cond') return evaluate(isTrue(list[0]) ? list[1] : list[2], scope)
  const operator = operators[name]
  if (!operator) throw unknown(name)
  const operands = list.map((item) => evaluate(item, scope))
  return operator(operands, scope)
}

/** Follows a path of names with dots between. */
export function field(document: Document, path: string): unknown {
  let value: unknown = document
  for (const name of path.split('.')) {
    if (typeOf(value) !== 'object') return undefined
    value = Object.hasOwn(value as Document, name) ? (value as Document)[name] : undefined
  }
  return value
}

export function truthy(value: unknown): boolean {
  return value !== false && value !== undefined && value !== null && compare(value, 0) !== 0
}

function unknown(name: string): MongoError {
  return new MongoError(168, 'InvalidPipelineOperator', `The stand-in knows no ${name}.`)
}
