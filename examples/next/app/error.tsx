'use client'

import { Failure } from '../components/failure.tsx'

/** Next.js tells the browser no more of an error than its digest; the server's log has the rest. */
export default function ErrorPage({ error }: { error: Error & { digest?: string } }) {
  return (
    <Failure
      code={error.digest ?? 'error'}
      title="That did not work"
      message="The other side may be out of reach for a moment. Try again."
    />
  )
}
