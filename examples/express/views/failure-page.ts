import type { Failure } from '../failure.ts'
import { html, type Html } from '../html.ts'
import { document } from './document.ts'

/** What went wrong, and the way out. */
export function failurePage({ code, title, message, loginUrl }: Failure): Html {
  const again = loginUrl && html`<a class="button" href="${loginUrl}">Log in with Spotify</a>`
  return document(
    title,
    html`<section class="failure">
      <p class="code"><code>${code}</code></p>
      <h1>${title}</h1>
      <p class="lead">${message}</p>
      <p class="ways">${again} <a class="button quiet" href="/">To the start page</a></p>
    </section>`,
  )
}
