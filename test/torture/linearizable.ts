/**
 * One call of a recorded history, on one key. Values are unique, so that a value also stands for the
 * version it was written under; `null` is absent.
 */
export interface Call {
  /** When it was made and when it had returned, on one clock for all clients. */
  from: number
  to: number
  operation: 'get' | 'set' | 'delete' | 'compareAndSwap' | 'compareAndDelete'
  /** What a comparison expects to be there. */
  expected?: string | null
  /** What a write writes. */
  value?: string
  /** What `get` found, or whether the others did something. */
  result: string | null | boolean
}

/**
 * Tells whether the calls can be put into one order, in which each takes effect at one moment
 * between its beginning and its end (Wing and Gong 1993, with memory as in Lowe 2017).
 */
export function isLinearizable(calls: readonly Call[]): boolean {
  const seen = new Set<string>()
  const all = (1n << BigInt(calls.length)) - 1n
  const search = (done: bigint, state: string | null): boolean => {
    if (done === all) return true
    const memory = `${done}:${state}`
    if (seen.has(memory)) return false
    seen.add(memory)
    const left = calls.flatMap((call, index) =>
      (done >> BigInt(index)) & 1n ? [] : [{ call, bit: 1n << BigInt(index) }],
    )
    const firstEnd = Math.min(...left.map(({ call }) => call.to))
    return left.some(({ call, bit }) => {
      if (call.from > firstEnd) return false
      const next = effect(call, state)
      return next !== undefined && search(done | bit, next)
    })
  }
  return search(0n, null)
}

/** The state after the call, or `undefined` where it could not have had its result. */
function effect(call: Call, state: string | null): string | null | undefined {
  const { operation, expected = null, value = null, result } = call
  switch (operation) {
    case 'get':
      return result === state ? state : undefined
    case 'set':
      return value
    case 'delete':
      return result === (state !== null) ? null : undefined
    case 'compareAndSwap':
      if (result !== (state === expected)) return undefined
      return result ? value : state
    case 'compareAndDelete':
      if (result !== (state !== null && state === expected)) return undefined
      return result ? null : state
  }
}
