import { html, type Html } from '../html.ts'
import { document } from './document.ts'

/** What a visitor sees who has not logged in. */
export function landingPage(loginUrl: string): Html {
  return document(
    'Your top tracks',
    html`<section class="hero">
        <div>
          <p class="eyebrow">Express example</p>
          <h1>Your top tracks, fetched on your behalf.</h1>
          <p class="lead">
            Log in once. The server keeps your tokens, refreshes them before they expire and
            remembers what the API said, for you alone.
          </p>
          <a class="button" href="${loginUrl}">Log in with Spotify</a>
          <p class="note">No token ever reaches this browser.</p>
        </div>
        ${sample}
      </section>
      <ul class="points">
        ${points.map(
          ({ title, text }) =>
            html`<li>
              <h2>${title}</h2>
              <p>${text}</p>
            </li>`,
        )}
      </ul>`,
  )
}

/** What the panel will look like. */
const sample = html`<figure class="card sample" aria-label="An example of what each page tells">
  <figcaption>Each page tells what it took</figcaption>
  <ol>
    ${[
      { time: '38 ms', kind: 'stored', label: 'miss', call: 'GET /v1/me/top/tracks' },
      { time: '0.4 ms', kind: 'hit', label: 'hit', call: 'GET /v1/me/top/tracks' },
      { time: '41 ms', kind: 'bypass', label: 'bypass', call: 'PUT /v1/me/library' },
      { time: '0.3 ms', kind: 'hit', label: 'hit', call: 'GET /v1/me' },
    ].map(
      ({ time, kind, label, call }) =>
        html`<li>
          <span class="badge ${kind}">${label}</span>
          <code>${call}</code>
          <span class="length">${time}</span>
        </li>`,
    )}
  </ol>
  <p>Access token <b>59 min 48 s left</b></p>
</figure>`

const points = [
  {
    title: 'Log in',
    text: 'Login, callback and logout are routes that the middleware brings along.',
  },
  {
    title: 'Call',
    text: 'Every request carries an authenticated client. An expired token is not your problem.',
  },
  {
    title: 'Reuse',
    text: 'Replies are cached per user. Each page shows what came from the cache, and what it cost.',
  },
]
