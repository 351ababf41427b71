import type { User } from '../../express/music.ts'

/** Who is logged in. */
export function ProfileCard({ user }: { user: User }) {
  const facts = [user.email, countryOf(user)].filter((fact) => fact !== undefined)
  return (
    <section className="card profile" aria-labelledby="name">
      <Avatar user={user} />
      <div>
        <p className="eyebrow">Logged in as</p>
        <h1 id="name">{nameOf(user)}</h1>
        <ul className="facts">
          {facts.map((fact) => (
            <li key={fact}>{fact}</li>
          ))}
        </ul>
      </div>
    </section>
  )
}

/** The log-out button at the top of the page: a form, because other sites can follow a link too. */
export function Visitor({ user }: { user: User }) {
  return (
    <form className="visitor" method="post" action="/auth/logout">
      <span>{nameOf(user)}</span>
      <button className="button quiet">Log out</button>
    </form>
  )
}

function nameOf({ id, display_name }: User): string {
  return display_name ?? id
}

function Avatar({ user }: { user: User }) {
  const image = user.images?.[0]
  if (image) return <img className="avatar" src={image.url} alt="" width="96" height="96" />
  return (
    <span className="avatar" aria-hidden="true">
      {nameOf(user).slice(0, 1)}
    </span>
  )
}

function countryOf({ country }: User): string | undefined {
  return country && new Intl.DisplayNames('en', { type: 'region' }).of(country)
}
