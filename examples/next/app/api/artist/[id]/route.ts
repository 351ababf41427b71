import { withApi } from '../../../../lib/behalf.ts'

/** As much of Spotify's artist as the page shows. */
export interface Artist {
  name: string
  genres?: string[]
  followers?: { total: number }
  images?: Array<{ url: string }>
}

export const GET = withApi(
  async (_request, { api }, { params }: RouteContext<'/api/artist/[id]'>) => {
    const { id } = await params
    const artist = await api.spotify.get<Artist>(`artists/${encodeURIComponent(id)}`)
    const { name, genres, followers, images } = artist
    return Response.json({ name, genres, followers, images })
  },
  { login: 'spotify' },
)
