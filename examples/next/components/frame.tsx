import type { ReactNode } from 'react'

/** Top and bottom of every page; `visitor` stands at the top right. */
export function Frame({ visitor, children }: { visitor?: ReactNode; children: ReactNode }) {
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <a className="brand" href="/">
          <Mark />
          <span>behalf</span>
        </a>
        {visitor}
      </header>
      <main id="content">{children}</main>
      <footer>
        <p>
          A Next.js app of a few pages. All of it is in <code>examples/next</code>.
        </p>
      </footer>
    </>
  )
}

/** Two figures, one of which speaks for the other. */
function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <circle cx="12" cy="16" r="9" fill="none" stroke="currentColor" strokeWidth="3.5" />
      <circle className="mark-other" cx="22" cy="16" r="6.5" />
    </svg>
  )
}
