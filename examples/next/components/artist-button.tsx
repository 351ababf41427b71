'use client'

import { useRef, useState } from 'react'
import type { Artist } from '../app/api/artist/[id]/route.ts'

/** An artist's name that tells more when it is pressed, from this app's own route handler. */
export function ArtistButton({ id, name }: { id: string; name: string }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [artist, setArtist] = useState<Artist>()
  const open = async () => {
    const response = await fetch(`/api/artist/${id}`)
    const told = (await response.json()) as Artist & { loginUrl?: string }
    if (told.loginUrl) return location.assign(told.loginUrl)
    setArtist(response.ok ? told : { name })
    dialog.current?.showModal()
  }
  return (
    <>
      <button className="artist" value={id} onClick={() => void open()}>
        {name}
      </button>
      <dialog ref={dialog} className="card" aria-label={name}>
        {artist && <About {...artist} />}
        <form method="dialog">
          <button className="button quiet">Close</button>
        </form>
      </dialog>
    </>
  )
}

function About({ name, genres = [], followers, images }: Artist) {
  return (
    <div className="artist-about">
      {images?.[0] && <img className="avatar" src={images[0].url} alt="" width="96" height="96" />}
      <div>
        <h3>{name}</h3>
        {followers && <p>{followers.total.toLocaleString('en')} followers</p>}
        <p>{genres.join(', ')}</p>
      </div>
    </div>
  )
}
