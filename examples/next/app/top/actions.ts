'use server'

import { refresh } from 'next/cache'
import { like, unlike } from '../../../express/music.ts'
import { context } from '../../lib/behalf.ts'

/** Likes a track, or no longer. What a browser sends to an action can be anything. */
export async function setLiked(id: unknown, liked: unknown): Promise<void> {
  if (typeof id !== 'string' || !/^\w{1,64}$/.test(id)) throw new Error('That is no track.')
  const { api } = await context({ login: 'spotify' })
  await (liked === true ? like(api.spotify, id) : unlike(api.spotify, id))
  refresh()
}
