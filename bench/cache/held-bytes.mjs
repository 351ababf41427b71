import { setTimeout as sleep } from 'node:timers/promises'
import { cachedFetch } from 'behalf/cache'
import { memoryStore } from 'behalf/stores/memory'
import { json, reply } from './reply.mjs'

/** Entries of which the first half fills what is there once, whatever is stored. */
const half = 10_000

const urlOf = (index) => `https://api.example.com/v1/tracks?of=${index}`
const { headers } = reply('/2k')
const upstream = async (url) =>
  new Response(json(2_048, url.slice(url.indexOf('=') + 1)), { headers })

const ways = {
  map() {
    const texts = new Map()
    return async (url) => {
      if (!texts.has(url)) texts.set(url, await (await upstream(url)).text())
      return JSON.parse(texts.get(url))
    }
  },
  behalf() {
    const store = memoryStore({ maxBytes: 2 ** 30, maxEntries: 3 * half, partitionShare: 1 })
    const cached = cachedFetch(upstream, { store })
    return (url) => cached.json(url)
  },
}

const get = ways[process.argv[2]]()
const fill = async (from, to) => {
  for (let index = from; index < to; index += 1) {
    await get(urlOf(index))
    await get(urlOf(index))
  }
  return held()
}

async function held() {
  for (let times = 0; times < 4; times += 1) {
    globalThis.gc()
    await sleep(50)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const first = await fill(0, half)
const second = await fill(half, 2 * half)
console.log((second - first) / half)
await get(urlOf(0))
