'use client'

import { useOptimistic } from 'react'
import { setLiked } from '../app/top/actions.ts'

const heart =
  'M12 20.5 4.2 12.9a5 5 0 0 1 0-7.2 5.1 5.1 0 0 1 7.2 0l.6.6.6-.6a5.1 5.1 0 0 1 7.2 0 5 5 0 0 1 0 7.2Z'

/** A heart that is filled at once, and by the server action for good. */
export function LikeButton({ id, name, liked }: { id: string; name: string; liked: boolean }) {
  const [shown, show] = useOptimistic(liked)
  const label = shown ? 'Unlike' : 'Like'
  const toggle = async () => {
    show(!shown)
    await setLiked(id, !shown)
  }
  return (
    <form action={toggle}>
      <button
        className={shown ? 'like liked' : 'like'}
        aria-label={`${label} ${name}`}
        title={label}
      >
        <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
          <path d={heart} />
        </svg>
      </button>
    </form>
  )
}
