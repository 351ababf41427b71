import type { Received } from '../http/received.ts'
import { decideByHeaders, type StoringContext, type StoringDecision } from '../http/storing.ts'
import type { UrlPolicy } from '../rules/policy.ts'
import { decideByRule } from './storing-by-rule.ts'

/** May this reply be stored, and for how long? One of the two policies decides, never both. */
export function decideStoring(
  reply: Received,
  { rule, ttl }: UrlPolicy,
  context: StoringContext,
): StoringDecision {
  if (ttl === undefined) return decideByHeaders(reply, context)
  return decideByRule(reply, { ttl, negative: rule?.negative }, context)
}
