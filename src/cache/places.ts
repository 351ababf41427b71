import type { Exchange } from './cached-call.ts'
import type { Partition } from './stored/partition.ts'
import type { Lookup, StoredResponses } from './stored/stored-responses.ts'
import type { Captured } from './stored/tags.ts'

/** Where a call's reply may be kept, as it was found before the call was made. */
export interface Places {
  readonly own: Lookup
  /** Where users share, if the rule lets them. */
  readonly shared: Lookup | undefined
  /** The one whose response is used, or asked about. */
  readonly found: Lookup
}

const none: readonly string[] = []

/** Looks for a stored response: among what users share, where the rule says so, then among one's own. */
export async function look(
  responses: StoredResponses,
  { at: asked, call, policy }: Exchange,
  partition: Partition,
): Promise<Places> {
  const names = { ofRule: policy.rule?.tags ?? none, ofCall: call.tags ?? none }
  const common = policy.rule?.shared ? call.shared : undefined
  const shared = common && (await responses.find(common, asked, names))
  if (shared?.match)
    return { own: responses.unread(partition, asked, names), shared, found: shared }
  const own = await responses.find(partition, asked, names)
  return { own, shared, found: own }
}

/** How each place stood before the request was sent; without it nothing is kept there. */
export type Capture = ReadonlyMap<Lookup, Captured>

/** To be called before the request is sent, so that what is invalidated meanwhile is not kept. */
export async function capture({ own, shared }: Places): Promise<Capture> {
  const captured = new Map<Lookup, Captured>()
  for (const place of shared ? [own, shared] : [own]) {
    const stood = await place.capture()
    if (stood) captured.set(place, stood)
  }
  return captured
}
