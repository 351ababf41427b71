import type { Track } from './catalogue-albums.ts'
import { newId } from './catalogue-id.ts'
import { playlistName } from './catalogue-names.ts'
import { SeededRandom } from './seeded-random.ts'

/** A made-up playlist. */
export interface Playlist {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly owner: { readonly id: string; readonly name: string }
  readonly isPublic: boolean
  /** How many tracks it has. */
  readonly size: number
}

/** A track in a playlist. */
export interface PlaylistEntry {
  readonly track: Track
  /** Instant, epoch ms. */
  readonly addedAt: number
}

const firstAddedAt = Date.UTC(2025, 5, 1, 9)
const hour = 3_600_000

/** Makes up a playlist. Without a size it has some dozens of tracks. */
export function makePlaylist(
  random: SeededRandom,
  owner: Playlist['owner'],
  given: { name?: string; size?: number; isPublic?: boolean } = {},
): Playlist {
  const { name = playlistName(random), size = random.between(8, 140), isPublic = true } = given
  const description = `${size} tracks, chosen by ${owner.name}`
  return { id: newId(random), name, description, owner, isPublic, size }
}

/** What is in the playlist, in its order: it follows from its id, and no track is in it twice. */
export function entriesOf({ id, size }: Playlist, tracks: readonly Track[]): PlaylistEntry[] {
  return new SeededRandom(id)
    .sample(tracks, size)
    .map((track, index) => ({ track, addedAt: firstAddedAt + index * hour }))
}
