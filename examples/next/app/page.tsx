import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { Frame } from '../components/frame.tsx'
import { context } from '../lib/behalf.ts'

export const metadata: Metadata = { title: 'Your top tracks' }

/** What a visitor sees who has not logged in. */
export default async function LandingPage() {
  const { tokens } = await context()
  if (await tokens.spotify.grant()) redirect('/top')
  return (
    <Frame>
      <section className="hero">
        <div>
          <p className="eyebrow">Next.js example</p>
          <h1>Your top tracks, rendered on your behalf.</h1>
          <p className="lead">
            Log in once. Server components, actions and route handlers call the API as you; the
            tokens stay on the server, and are refreshed before they expire.
          </p>
          {/* Not a <Link>: a login is no page of the app, and nothing to prefetch. */}
          <a className="button" href={tokens.spotify.loginUrl({ returnTo: '/top' })}>
            Log in with Spotify
          </a>
          <p className="note">No token ever reaches this browser.</p>
        </div>
        <Sample />
      </section>
      <ul className="points">
        {points.map(({ title, text }) => (
          <li key={title}>
            <h2>{title}</h2>
            <p>{text}</p>
          </li>
        ))}
      </ul>
    </Frame>
  )
}

const sample = [
  { kind: 'stored', label: 'miss', call: 'GET /v1/me/top/tracks', time: '38 ms' },
  { kind: 'hit', label: 'hit', call: 'GET /v1/me/top/tracks', time: '0.4 ms' },
  { kind: 'bypass', label: 'bypass', call: 'PUT /v1/me/library', time: '41 ms' },
  { kind: 'hit', label: 'hit', call: 'GET /v1/artists/4gzp', time: '0.3 ms' },
]

/** What the panel will look like. */
function Sample() {
  return (
    <figure className="card sample" aria-label="An example of what each page tells">
      <figcaption>Each page tells what it took</figcaption>
      <ol>
        {sample.map(({ kind, label, call, time }) => (
          <li key={time}>
            <span className={`badge ${kind}`}>{label}</span>
            <code>{call}</code>
            <span className="length">{time}</span>
          </li>
        ))}
      </ol>
      <p>
        Access token <b>59 min 48 s left</b>
      </p>
    </figure>
  )
}

const points = [
  {
    title: 'Render',
    text: 'A server component asks for the client of whoever looks at it, and has it.',
  },
  {
    title: 'Act',
    text: 'A server action writes on the user’s behalf. Two tabs and an expired token do no harm.',
  },
  {
    title: 'Answer',
    text: 'A route handler gets the same client. Who is not logged in does not reach it.',
  },
]
