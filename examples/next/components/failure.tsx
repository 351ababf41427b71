import { Frame } from './frame.tsx'

interface FailureProps {
  code: string
  title: string
  message: string
  loginUrl?: string | undefined
}

/** What went wrong, and the way out. */
export function Failure({ code, title, message, loginUrl }: FailureProps) {
  return (
    <Frame>
      <section className="failure">
        <p className="code">
          <code>{code}</code>
        </p>
        <h1>{title}</h1>
        <p className="lead">{message}</p>
        <p className="ways">
          {loginUrl && (
            <a className="button" href={loginUrl}>
              Log in with Spotify
            </a>
          )}{' '}
          <a className="button quiet" href="/">
            To the start page
          </a>
        </p>
      </section>
    </Frame>
  )
}
