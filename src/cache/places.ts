import type { Exchange } from './cached-call.ts'
import type { Partition } from './partition.ts'
import type { Lookup, StoredResponses } from './stored-responses.ts'

/** Where a call's reply may be kept, as it was found before the call was made. */
export interface Places {
  readonly own: Lookup
  /** Where users share, if the rule lets them. */
  readonly shared: Lookup | undefined
  /** The one whose response is used, or asked about. */
  readonly found: Lookup
}

/** Looks for a stored response: among what users share, where the rule says so, then among one's own. */
export async function look(
  responses: StoredResponses,
  { asked, call, policy }: Exchange,
  partition: Partition,
): Promise<Places> {
  const common = policy.rule?.shared ? call.shared : undefined
  const shared = common && (await responses.find(common, asked))
  if (shared?.match) return { own: responses.unread(partition, asked), shared, found: shared }
  const own = await responses.find(partition, asked)
  return { own, shared, found: own }
}
