import { html, type Html } from '../html.ts'

/** What stands around every page. `visitor` is shown at the top right. */
export function document(title: string, content: Html, visitor?: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · behalf</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="top">
          <a class="brand" href="/">${mark}<span>behalf</span></a>
          ${visitor}
        </header>
        <main id="content">${content}</main>
        <footer>
          <p>
            An Express app of one file and a few views. All of it is in
            <code>examples/express</code>.
          </p>
        </footer>
      </body>
    </html> `
}

/** Two figures, one of which speaks for the other. */
const mark = html`<svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
  <circle cx="12" cy="16" r="9" fill="none" stroke="currentColor" stroke-width="3.5" />
  <circle class="mark-other" cx="22" cy="16" r="6.5" />
</svg>`
