import type { Catalogue } from './catalogue.ts'
import { html } from '../server/html.ts'
import type { Html } from '../server/html.ts'
import { SeededRandom } from './seeded-random.ts'

/** A picture's two lines of text. */
interface Caption {
  readonly id: string
  readonly title: string
  readonly by: string
}

/** The picture of an album, an artist or a public playlist; `undefined` for another id. */
export function coverArt({ albums, artists, playlists }: Catalogue, id: string): Html | undefined {
  const album = albums.get(id)
  if (album) return drawing({ id, title: album.name, by: album.artist.name })
  const artist = artists.get(id)
  if (artist) return drawing({ id, title: artist.name, by: artist.genres.join(', ') })
  const playlist = playlists.get(id)
  return playlist && drawing({ id, title: playlist.name, by: playlist.owner.name })
}

/** Two discs and two waves on a gradient, their colours and places from the id. */
function drawing({ id, title, by }: Caption): Html {
  const random = new SeededRandom(id)
  const hue = random.between(0, 359)
  const other = (hue + random.between(40, 150)) % 360
  return html`<svg
    xmlns="http://www.w3.org/2000/svg"
    viewBox="0 0 640 640"
    width="640"
    height="640"
  >
    <title>${title} by ${by}</title>
    <defs>${gradients(hue, other)}</defs>
    <rect width="640" height="640" fill="url(#sky)" />
    ${disc(random, 'url(#sun)', 150)} ${disc(random, '#ffffff44', 60)}
    ${wave(random.between(300, 380), `hsl(${other} 60% 18% / 0.55)`)}
    ${wave(random.between(420, 480), `hsl(${hue} 60% 14% / 0.6)`)}
    <g font-family="system-ui, sans-serif" fill="#fff">
      <text x="40" y="566" font-size="40" font-weight="700">${title}</text>
      <text x="40" y="604" font-size="24">${by}</text>
    </g>
  </svg>`
}

function gradients(hue: number, other: number): Html {
  return html`
    <linearGradient id="sky" x1="0" y1="0" x2="1" y2="1">
      <stop offset="0" stop-color="hsl(${hue} 75% 62%)" />
      <stop offset="1" stop-color="hsl(${other} 70% 32%)" />
    </linearGradient>
    <radialGradient id="sun">
      <stop offset="0" stop-color="hsl(${other} 95% 84%)" />
      <stop offset="1" stop-color="hsl(${hue} 90% 66% / 0.15)" />
    </radialGradient>
  `
}

function disc(random: SeededRandom, fill: string, radius: number): Html {
  const [x, y] = [random.between(100, 540), random.between(90, 320)]
  return html`<circle
    cx="${x}"
    cy="${y}"
    r="${random.between(radius / 2, radius)}"
    fill="${fill}"
  />`
}

function wave(crest: number, fill: string): Html {
  const curve = `C 180 ${crest - 90} 360 ${crest + 120} 640 ${crest - 30}`
  return html`<path d="M 0 ${crest} ${curve} V 640 H 0 Z" fill="${fill}" />`
}
