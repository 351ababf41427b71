import Link from 'next/link'
import { type Period, periods, type RankedTrack } from '../../express/music.ts'
import { minutes } from '../../express/time.ts'
import { ArtistButton } from './artist-button.tsx'
import { LikeButton } from './like-button.tsx'

/** The top tracks, each with a button to like it. */
export function TrackList({ tracks, period }: { tracks: RankedTrack[]; period: Period }) {
  return (
    <section className="tracks" aria-labelledby="tracks">
      <div className="heading">
        <h2 id="tracks">Top tracks</h2>
        <nav className="periods" aria-label="Period">
          {Object.entries(periods).map(([name, label]) => (
            <Link
              key={name}
              href={`/top?period=${name}`}
              aria-current={name === period ? 'page' : undefined}
            >
              {label}
            </Link>
          ))}
        </nav>
      </div>
      <ol className="card">
        {tracks.map((track, index) => (
          <Row key={track.id} track={track} rank={index + 1} />
        ))}
      </ol>
      {tracks.length === 0 && <p className="note">Nothing was played in that time.</p>}
    </section>
  )
}

function Row({ track, rank }: { track: RankedTrack; rank: number }) {
  const { id, name, artists, album, duration_ms, liked } = track
  return (
    <li className="track" id={`track-${id}`}>
      <span className="rank" aria-hidden="true">
        {rank}
      </span>
      <Cover images={album.images} />
      <div className="about">
        <h3>{name}</h3>
        <p>
          {artists.map((artist) => (
            <ArtistButton key={artist.id} {...artist} />
          ))}
          <span> · {album.name}</span>
        </p>
      </div>
      <span className="length">{minutes(duration_ms)}</span>
      <LikeButton id={id} name={name} liked={liked} />
    </li>
  )
}

function Cover({ images }: { images: RankedTrack['album']['images'] }) {
  const big = images.find(({ width }) => width === 300) ?? images[0]
  if (!big) return <span className="cover" />
  return <img className="cover" src={big.url} alt="" width="56" height="56" loading="lazy" />
}
