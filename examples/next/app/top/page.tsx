import type { Metadata } from 'next'
import { periodOf, topTracks, type User } from '../../../express/music.ts'
import { CallsPanel } from '../../components/calls-panel.tsx'
import { Frame } from '../../components/frame.tsx'
import { ProfileCard, Visitor } from '../../components/profile-card.tsx'
import { TrackList } from '../../components/track-list.tsx'
import { context } from '../../lib/behalf.ts'
import { withCalls } from '../../lib/calls.ts'

export const metadata: Metadata = { title: 'Your top tracks' }

/** The page of somebody logged in; who is not is sent to the login, and comes back. */
export default async function TopPage({ searchParams }: PageProps<'/top'>) {
  const { api, tokens } = await context({ login: 'spotify' })
  const period = periodOf((await searchParams)['period'])
  const [[user, tracks], calls] = await withCalls(() =>
    Promise.all([api.spotify.get<User>('me'), topTracks(api.spotify, period)]),
  )
  const grant = await tokens.spotify.grant()
  return (
    <Frame visitor={<Visitor user={user} />}>
      <div className="columns">
        <ProfileCard user={user} />
        <CallsPanel calls={calls} expiresAt={grant?.expiresAt} />
        <TrackList tracks={tracks} period={period} />
      </div>
    </Frame>
  )
}
