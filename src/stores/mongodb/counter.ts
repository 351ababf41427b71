import { expiryExpression } from './document.ts'

/**
 * What an addition makes of a document, as an update's expression: the sum where an integer is
 * `live`, `by` where nothing is, and the same document where it is anything else.
 */
export function sumExpression(
  live: object,
  version: string,
  { by, lives }: { by: number; lives: number },
): object {
  const max = Number.MAX_SAFE_INTEGER
  const canAdd = [
    { $eq: [{ $type: '$value' }, 'long'] },
    { $gte: ['$value', BigInt(Math.max(-max, -max - by))] },
    { $lte: ['$value', BigInt(Math.min(max, max - by))] },
  ]
  const sum = { $add: ['$value', BigInt(by)] }
  const added = { _id: '$_id', version, value: sum, expiresAt: '$expiresAt' }
  const begun = { _id: '$_id', version, value: BigInt(by), expiresAt: expiryExpression(lives) }
  return { $cond: [live, { $cond: [{ $and: canAdd }, added, '$$ROOT'] }, begun] }
}
