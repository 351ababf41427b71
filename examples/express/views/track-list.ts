import { html, type Html } from '../html.ts'
import { type Period, periods, type RankedTrack } from '../music.ts'
import { minutes } from '../time.ts'

/** The top tracks, each with a button to like it. */
export function trackList(tracks: readonly RankedTrack[], period: Period): Html {
  return html`<section class="tracks" aria-labelledby="tracks">
    <div class="heading">
      <h2 id="tracks">Top tracks</h2>
      ${periodLinks(period)}
    </div>
    <ol class="card">
      ${tracks.map((track, index) => row(track, index + 1, period))}
    </ol>
    ${tracks.length === 0 ? html`<p class="note">Nothing was played in that time.</p>` : undefined}
  </section>`
}

function periodLinks(current: Period): Html {
  const links = Object.entries(periods).map(([period, name]) => {
    const mark = period === current ? html`aria-current="page"` : undefined
    return html`<a href="/top?period=${period}" ${mark}>${name}</a>`
  })
  return html`<nav class="periods" aria-label="Period">${links}</nav>`
}

function row(track: RankedTrack, rank: number, period: Period): Html {
  const { id, name, artists, album, duration_ms } = track
  return html`<li class="track" id="track-${id}">
    <span class="rank" aria-hidden="true">${rank}</span>
    ${cover(album.images)}
    <div class="about">
      <h3>${name}</h3>
      <p>${artists.map((artist) => artist.name).join(', ')}<span> · ${album.name}</span></p>
    </div>
    <span class="length">${minutes(duration_ms)}</span>
    ${likeButton(track, period)}
  </li>`
}

function cover(images: RankedTrack['album']['images']): Html {
  const big = images.find(({ width }) => width === 300) ?? images[0]
  if (!big) return html`<span class="cover"></span>`
  return html`<img class="cover" src="${big.url}" alt="" width="56" height="56" loading="lazy" />`
}

function likeButton({ id, name, liked }: RankedTrack, period: Period): Html {
  const action = liked ? 'unlike' : 'like'
  const label = liked ? 'Unlike' : 'Like'
  return html`<form method="post" action="/tracks/${id}/${action}?period=${period}">
    <button class="like ${liked ? 'liked' : ''}" aria-label="${label} ${name}" title="${label}">
      <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="${heart}" /></svg>
    </button>
  </form>`
}

const heart =
  'M12 20.5 4.2 12.9a5 5 0 0 1 0-7.2 5.1 5.1 0 0 1 7.2 0l.6.6.6-.6a5.1 5.1 0 0 1 7.2 0 5 5 0 0 1 0 7.2Z'
