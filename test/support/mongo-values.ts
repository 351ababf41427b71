import { Binary, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'

/** A document as the stand-in keeps it: numbers stay Int32, Double and Long. */
export type Document = Record<string, unknown>

/** What the stand-in answers with `ok: 0`, by the code and name that mongod uses. */
export class MongoError extends Error {
  readonly code: number
  readonly codeName: string
  readonly extra: Document

  constructor(code: number, codeName: string, message: string, extra: Document = {}) {
    super(message)
    this.code = code
    this.codeName = codeName
    this.extra = extra
  }
}

/** The types in the order in which MongoDB sorts values of different types. */
const typeOrder = [
  ['minKey'],
  ['missing'],
  ['null'],
  ['int', 'long', 'double'],
  ['string'],
  ['object'],
  ['array'],
  ['binData'],
  ['objectId'],
  ['bool'],
  ['date'],
  ['timestamp'],
  ['regex'],
  ['maxKey'],
]

const typesOfClasses = new Map<unknown, string>([
  [Int32, 'int'],
  [Long, 'long'],
  [Double, 'double'],
  [Binary, 'binData'],
  [ObjectId, 'objectId'],
  [Timestamp, 'timestamp'],
  [MinKey, 'minKey'],
  [MaxKey, 'maxKey'],
  [Date, 'date'],
  [RegExp, 'regex'],
])

/** The name that `$type` gives. */
export function typeOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (typeof value === 'object') return typeOfObject(value)
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'double'
  return typeof value === 'bigint' ? 'long' : typeof value
}

function typeOfObject(value: object): string {
  return typesOfClasses.get(value.constructor) ?? (Array.isArray(value) ? 'array' : 'object')
}

/** Orders two values as MongoDB does: by type first; text by its UTF-8 bytes. */
export function compare(a: unknown, b: unknown): number {
  const [typeA, typeB] = [typeOf(a), typeOf(b)]
  const [rankA, rankB] = [rank(typeA), rank(typeB)]
  if (rankA !== rankB) return rankA - rankB
  if (typeA === 'string') return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string))
  if (isNumeric(typeA)) return compareNumbers(a, b)
  if (typeA === 'date') return Number(a) - Number(b)
  if (typeA === 'bool') return Number(a) - Number(b)
  if (typeA === 'binData') return Buffer.compare((a as Binary).value(), (b as Binary).value())
  if (typeA === 'objectId') return Buffer.compare((a as ObjectId).id, (b as ObjectId).id)
  return compareParts(Object.entries(a ?? {}), Object.entries(b ?? {}))
}

function rank(type: string): number {
  const found = typeOrder.findIndex((types) => types.includes(type))
  if (found < 0) throw new MongoError(2, 'BadValue', `The stand-in knows no ${type}.`)
  return found
}

function compareParts(a: Array<[string, unknown]>, b: Array<[string, unknown]>): number {
  for (const [index, [name, part]] of a.entries()) {
    const other = b[index]
    if (!other) return 1
    const order = compare(name, other[0]) || compare(part, other[1])
    if (order !== 0) return order
  }
  return a.length - b.length
}

function isNumeric(type: string): boolean {
  return type === 'int' || type === 'long' || type === 'double'
}

function compareNumbers(a: unknown, b: unknown): number {
  if (typeOf(a) === 'double' || typeOf(b) === 'double') return toNumber(a) - toNumber(b)
  const [left, right] = [toBigInt(a), toBigInt(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

export function toNumber(value: unknown): number {
  return Number(value instanceof Long ? value.toBigInt() : value)
}

function toBigInt(value: unknown): bigint {
  return value instanceof Long ? value.toBigInt() : BigInt(Number(value))
}

/** The sum as MongoDB types it: a date where one is in it, else the wider of the two types. */
export function add(a: unknown, b: unknown): unknown {
  const types = [typeOf(a), typeOf(b)]
  if (types.some((type) => type === 'null' || type === 'missing')) return null
  if (types.includes('date')) return new Date(toNumber(a) + Math.round(toNumber(b)))
  if (!types.every(isNumeric)) {
    throw new MongoError(14, 'TypeMismatch', '$add only supports numeric or date types')
  }
  if (types.includes('double')) return new Double(toNumber(a) + toNumber(b))
  const sum = toBigInt(a) + toBigInt(b)
  return types.includes('long') ? Long.fromBigInt(sum) : new Int32(Number(sum))
}

/** The difference; of two dates the milliseconds as a long. */
export function subtract(a: unknown, b: unknown): unknown {
  const types = [typeOf(a), typeOf(b)]
  if (types.some((type) => type === 'null' || type === 'missing')) return null
  if (types.every((type) => type === 'date')) {
    return Long.fromNumber(toNumber(a) - toNumber(b))
  }
  return add(a, typeOf(b) === 'double' ? new Double(-toNumber(b)) : Long.fromBigInt(-toBigInt(b)))
}
