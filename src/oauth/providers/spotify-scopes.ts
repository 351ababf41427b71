/**
 * What the features of an app need at Spotify: spread them into `scope` or `optionalScope`.
 *
 *     spotify({ scope: [...spotifyScopes.topItems], optionalScope: [...spotifyScopes.editPlaylists] })
 */
export const spotifyScopes = {
  /** Name, picture, country and plan of the user. */
  profile: ['user-read-private'],
  /** The user's e-mail address. */
  email: ['user-read-email'],
  /** What the user listens to most: `me/top/artists`, `me/top/tracks`. */
  topItems: ['user-top-read'],
  /** What was played last: `me/player/recently-played`. */
  recentlyPlayed: ['user-read-recently-played'],
  /** What is playing, and on which device. */
  readPlayback: ['user-read-playback-state', 'user-read-currently-playing'],
  /** Play, pause, skip, volume on the user's devices. */
  controlPlayback: ['user-modify-playback-state'],
  /** Music in the page itself, by the Web Playback SDK. */
  streaming: ['streaming', 'user-read-email', 'user-read-private'],
  /** Saved tracks, albums, shows, episodes and audiobooks. */
  readLibrary: ['user-library-read'],
  /** Saves them and takes them away. */
  editLibrary: ['user-library-modify'],
  /** The user's playlists, private and collaborative ones too. */
  readPlaylists: ['playlist-read-private', 'playlist-read-collaborative'],
  /** Makes and changes playlists, and gives them a picture. */
  editPlaylists: ['playlist-modify-public', 'playlist-modify-private', 'ugc-image-upload'],
  /** Whom the user follows: `me/following`. */
  readFollowed: ['user-follow-read'],
  /** Follows and unfollows. */
  editFollowed: ['user-follow-modify'],
  /** How far the user is in episodes and audiobooks. */
  playbackPosition: ['user-read-playback-position'],
} as const
