import { live, liveVersion, parameters } from './condition.ts'

/**
 * An update that adds `by` where an integer is live, if need be under the version `seen`, and
 * returns the sum.
 */
export function addition(version: string, by: number, seen?: string): object {
  const { text, names, values } = seen === undefined ? live() : liveVersion(seen)
  const [lowest, highest] = addable(by)
  return {
    UpdateExpression: 'SET #value = #value + :by, #version = :next',
    ReturnValues: 'UPDATED_NEW',
    ...parameters({
      text: `${text} AND attribute_type(#value, :number) AND #value BETWEEN :lowest AND :highest`,
      names,
      values: {
        ...values,
        ':by': { N: String(by) },
        ':next': { S: version },
        ':lowest': { N: String(lowest) },
        ':highest': { N: String(highest) },
      },
    }),
  }
}

/** Tells whether these are the digits of a number to which `by` can be added. */
export function canAdd(digits: string | undefined, by: number): boolean {
  const [lowest, highest] = addable(by)
  return digits !== undefined && Number(digits) >= lowest && Number(digits) <= highest
}

/** The least and the greatest integer to which `by` can be added and the sum is a safe one. */
function addable(by: number): [lowest: number, highest: number] {
  const max = Number.MAX_SAFE_INTEGER
  return [Math.max(-max, -max - by), Math.min(max, max - by)]
}
