import { Suspense } from 'react'
import { auth } from '../../lib/behalf.js'

async function artist(id) {
  'use cache'
  const { api } = await auth.forApp('spotify')
  return (await api.spotify.get(`artists/${id}`)).name
}

async function Artist({ searchParams }) {
  return <h1>{await artist((await searchParams).id)}</h1>
}

export default function Page({ searchParams }) {
  return (
    <Suspense>
      <Artist searchParams={searchParams} />
    </Suspense>
  )
}
