import { html, type Html } from '../html.ts'
import type { User } from '../music.ts'

/** Who is logged in. */
export function profileCard(user: User): Html {
  return html`<section class="card profile" aria-labelledby="name">
    ${avatar(user)}
    <div>
      <p class="eyebrow">Logged in as</p>
      <h1 id="name">${nameOf(user)}</h1>
      <ul class="facts">
        ${[user.email, countryOf(user)].map((fact) => (fact === undefined ? undefined : html`<li>${fact}</li>`))}
      </ul>
    </div>
  </section>`
}

/** The log-out button at the top of the page. */
export function visitor(user: User): Html {
  return html`<form class="visitor" method="post" action="/auth/logout">
    <span>${nameOf(user)}</span>
    <button class="button quiet">Log out</button>
  </form>`
}

function nameOf({ id, display_name }: User): string {
  return display_name ?? id
}

function avatar(user: User): Html {
  const image = user.images?.[0]
  return image
    ? html`<img class="avatar" src="${image.url}" alt="" width="96" height="96" />`
    : html`<span class="avatar" aria-hidden="true">${nameOf(user).slice(0, 1)}</span>`
}

function countryOf({ country }: User): string | undefined {
  return country && new Intl.DisplayNames('en', { type: 'region' }).of(country)
}
