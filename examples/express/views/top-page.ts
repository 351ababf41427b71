import { callsOfThisRequest, earlierCalls } from '../calls.ts'
import { html, type Html } from '../html.ts'
import type { Period, RankedTrack, User } from '../music.ts'
import { callsPanel } from './calls-panel.ts'
import { document } from './document.ts'
import { profileCard, visitor } from './profile-card.ts'
import { trackList } from './track-list.ts'

/** What the page of somebody logged in shows. */
export interface TopPageContent {
  user: User
  tracks: readonly RankedTrack[]
  period: Period
  /** When the access token expires, epoch ms. */
  expiresAt: number | undefined
}

/** The page of somebody logged in. */
export function topPage({ user, tracks, period, expiresAt }: TopPageContent): Html {
  const panel = callsPanel({ calls: callsOfThisRequest(), earlier: earlierCalls(6), expiresAt })
  return document(
    'Your top tracks',
    html`<div class="columns">${profileCard(user)} ${panel} ${trackList(tracks, period)}</div>`,
    visitor(user),
  )
}
