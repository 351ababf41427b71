import { evaluate, field, truthy } from './mongo-expressions.ts'
import { compare, MongoError, typeOf } from './mongo-values.ts'
import type { Document } from './mongo-values.ts'

type Test = (value: unknown, operand: unknown) => boolean

/** Comparisons hold between values of one type only, as MongoDB brackets them. */
const tests: Readonly<Record<string, Test>> = {
  $eq: equals,
  $ne: (value, operand) => !equals(value, operand),
  $in: (value, operand) => (operand as unknown[]).some((item) => equals(value, item)),
  $gt: (value, operand) => sameKind(value, operand) && compare(value, operand) > 0,
  $gte: (value, operand) => sameKind(value, operand) && compare(value, operand) >= 0,
  $lt: (value, operand) => sameKind(value, operand) && compare(value, operand) < 0,
  $lte: (value, operand) => sameKind(value, operand) && compare(value, operand) <= 0,
  $type: (value, operand) => [operand].flat().includes(typeOf(value)),
  $exists: (value, operand) => (value !== undefined) === truthy(operand),
  $regex: (value, operand) => typeof value === 'string' && toRegExp(operand).test(value),
}

/** Tells whether a document is what a filter asks for; unknown operators are an error. */
export function matches(document: Document, filter: Document, now: Date): boolean {
  return Object.entries(filter).every(([name, operand]) => {
    if (name === '$expr') return truthy(evaluate(operand, { document, now }))
    if (name === '$and') return each(operand).every((part) => matches(document, part, now))
    if (name === '$or') return each(operand).some((part) => matches(document, part, now))
    if (name === '$nor') return !each(operand).some((part) => matches(document, part, now))
    if (name.startsWith('$')) throw unknown(name)
    return passes(field(document, name), operand)
  })
}

/** The fields that a filter demands to be equal to something: what an upsert begins with. */
export function equalities(filter: Document): Document {
  const found: Document = {}
  for (const [name, operand] of Object.entries(filter)) {
    if (name.startsWith('$')) continue
    if (!isOperators(operand)) found[name] = operand
    else if ('$eq' in operand) found[name] = operand['$eq']
  }
  return found
}

/** The `_id`s that can match at all, where the filter names them. */
export function namedIds(filter: Document): unknown[] | undefined {
  const id = filter['_id']
  if (id === undefined || typeOf(id) === 'regex') return undefined
  if (!isOperators(id)) return [id]
  if ('$eq' in id) return [id['$eq']]
  return '$in' in id ? (id['$in'] as unknown[]) : undefined
}

function passes(value: unknown, operand: unknown): boolean {
  if (typeOf(operand) === 'regex')
    return typeof value === 'string' && tests['$regex']!(value, operand)
  if (!isOperators(operand)) return equals(value, operand)
  return Object.entries(operand).every(([name, argument]) => {
    const test = tests[name]
    if (!test) throw unknown(name)
    return test(value, argument)
  })
}

function equals(value: unknown, operand: unknown): boolean {
  return compare(value, operand) === 0 || (operand === null && value === undefined)
}

function sameKind(value: unknown, operand: unknown): boolean {
  const kind = (type: string) => (['int', 'long', 'double'].includes(type) ? 'number' : type)
  return kind(typeOf(value)) === kind(typeOf(operand))
}

function isOperators(operand: unknown): operand is Document {
  if (typeOf(operand) !== 'object') return false
  return Object.keys(operand as Document).some((name) => name.startsWith('$'))
}

function toRegExp(operand: unknown): RegExp {
  return operand instanceof RegExp ? operand : new RegExp(operand as string, 'u')
}

function each(operand: unknown): Document[] {
  return operand as Document[]
}

function unknown(name: string): MongoError {
  return new MongoError(2, 'BadValue', `unknown operator: ${name} (the stand-in knows few)`)
}
