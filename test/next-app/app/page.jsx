import { Suspense } from 'react'
import { context, noteCore } from '../lib/behalf.js'

async function Name() {
  const { api } = await context({ login: 'spotify' })
  noteCore()
  return <h1>{(await api.spotify.get('me')).display_name}</h1>
}

export default function Page() {
  return (
    <Suspense fallback={<p>One moment</p>}>
      <Name />
    </Suspense>
  )
}
