'use client'

import { useState } from 'react'
import { createPortal } from 'react-dom'
import type { Artist } from '../app/api/artist/[id]/route.ts'

/** An artist's name that tells more when it is pressed, from this app's own route handler. */
export function ArtistButton({ id, name }: { id: string; name: string }) {
  const [artist, show] = useState<Artist>()
  const open = async () => {
    const response = await fetch(`/api/artist/${id}`)
    const told = (await response.json()) as Artist & { loginUrl?: string }
    if (told.loginUrl) return location.assign(told.loginUrl)
    show(response.ok ? told : { name })
  }
  return (
    <>
      <button className="artist" value={id} onClick={() => void open()}>
        {name}
      </button>
      {artist &&
        createPortal(<ArtistDialog {...artist} onClose={() => show(undefined)} />, document.body)}
    </>
  )
}

function ArtistDialog({
  name,
  genres = [],
  followers,
  images,
  onClose,
}: Artist & { onClose: () => void }) {
  return (
    <dialog
      className="card"
      aria-label={name}
      ref={(dialog) => dialog?.showModal()}
      onClose={onClose}
    >
      <div className="artist-about">
        {images?.[0] && (
          <img className="avatar" src={images[0].url} alt="" width="96" height="96" />
        )}
        <div>
          <h3>{name}</h3>
          {followers && <p>{followers.total.toLocaleString('en')} followers</p>}
          <p>{genres.join(', ')}</p>
        </div>
      </div>
      <form method="dialog">
        <button className="button quiet">Close</button>
      </form>
    </dialog>
  )
}
