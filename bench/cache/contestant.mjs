// Plain JavaScript: what runs TypeScript on the fly costs more than what is measured here.

/** Each gives `get(url)`, which resolves to the parsed JSON of a reply. */
const contestants = {
  map: () => import('./map.mjs'),
  'map-json': () => import('./map-json.mjs'),
  fetch: () => import('./fetch.mjs'),
  'if-none-match': () => import('./if-none-match.mjs'),
  ioredis: () => import('./ioredis.mjs'),
  select: () => import('./select.mjs'),
  behalf: () => import('./behalf.mjs'),
  'behalf-json': () => import('./behalf-json.mjs'),
  'behalf-grant': () => import('./behalf-grant.mjs'),
  undici: () => import('./undici.mjs'),
  axios: () => import('./axios.mjs'),
  'make-fetch-happen': () => import('./make-fetch-happen.mjs'),
}

const [name, text] = process.argv.slice(2)
const settings = JSON.parse(text)
const { open } = await contestants[name]()
const { get } = await open(settings)
const { origin, path, isNew, atATime } = settings

let asked = 0
const urlOf = () => {
  asked += 1
  return isNew ? `${origin}${path}?n=${process.pid}-${asked}` : `${origin}${path}`
}

/** Calls for so many milliseconds, or about so many times, `atATime` of them under way. */
async function run({ milliseconds, most = Infinity }) {
  const startedAt = performance.now()
  const until = startedAt + milliseconds
  const before = process.cpuUsage()
  let calls = 0
  const lane = async () => {
    while (performance.now() < until && calls < most) {
      for (let left = 16; left > 0; left -= 1) {
        await get(urlOf())
        calls += 1
      }
    }
  }
  await Promise.all(Array.from({ length: atATime }, lane))
  const { user, system } = process.cpuUsage(before)
  return { calls, microseconds: user + system, elapsed: (performance.now() - startedAt) * 1000 }
}

process.on('message', async (turn) => {
  try {
    process.send(await run(turn))
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
})
process.on('disconnect', () => process.exit())
const first = await get(urlOf())
if (!Array.isArray(first.items)) throw new Error(`${name} has got something else`)
process.send('ready')
