import type { Metadata } from 'next'
import type { ReactNode } from 'react'
import '../../express/style.css'
import './next.css'

export const metadata: Metadata = {
  title: { template: '%s · behalf', default: 'behalf' },
  icons: { icon: 'data:,' },
}

/** What stands around every page. `visitor` is shown at the top right of the pages that have one. */
export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  )
}
