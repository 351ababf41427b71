import { html } from '../server/html.ts'
import type { Html } from '../server/html.ts'

/** Somebody who can log in at the test provider. */
export interface TestUser {
  /** The subject: stable, and what `user` means in the other calls. */
  readonly id: string
  readonly name: string
  /** Default `<id>@example.test`. */
  readonly email?: string | undefined
  /** ISO 3166-1 alpha-2. Default `SE`. */
  readonly country?: string | undefined
  /** URL of a picture. Default one that the provider draws. */
  readonly avatar?: string | undefined
}

/** A {@link TestUser} with nothing left open. */
export type CompleteTestUser = { readonly [K in keyof TestUser]-?: string }

/** The people who are there unless the option `users` names others. */
export const defaultTestUsers: readonly TestUser[] = [
  { id: 'ada', name: 'Ada Moreau', country: 'FR' },
  { id: 'grace', name: 'Grace Adeyemi', country: 'GB' },
  { id: 'linus', name: 'Linus Bergqvist', country: 'SE' },
  { id: 'mei', name: 'Mei Tanaka', country: 'JP' },
  { id: 'tomas', name: 'Tomás Rivera', country: 'ES' },
]

/** Fills in what a user leaves open; `issuer` serves the avatars. */
export function completeTestUser(user: TestUser, issuer: string): CompleteTestUser {
  return {
    id: user.id,
    name: user.name,
    email: user.email ?? `${user.id}@example.test`,
    country: user.country ?? 'SE',
    avatar: user.avatar ?? `${issuer}/avatars/${encodeURIComponent(user.id)}.svg`,
  }
}

/** Draws the avatar of a user: the initials on a colour of their own. */
export function avatarOf(user: CompleteTestUser): Html {
  let hue = 0
  for (const char of user.id) hue = (hue * 31 + char.charCodeAt(0) * 47) % 360
  const words = user.name.split(' ')
  const named = words.length > 1 ? [words[0], words.at(-1)] : words
  const initials = named.map((word) => Array.from(word ?? '')[0] ?? '').join('')
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96">
    <defs>
      <linearGradient id="g" x1="0" y1="0" x2="1" y2="1">
        <stop offset="0" stop-color="hsl(${hue} 70% 58%)" />
        <stop offset="1" stop-color="hsl(${(hue + 50) % 360} 75% 38%)" />
      </linearGradient>
    </defs>
    <rect width="96" height="96" fill="url(#g)" />
    <text
      x="48"
      y="61"
      text-anchor="middle"
      font-family="system-ui, sans-serif"
      font-size="36"
      font-weight="600"
      fill="#fff"
    >
      ${initials}
    </text>
  </svg>`
}
