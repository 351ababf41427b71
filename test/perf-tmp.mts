import { cachedFetch } from '../src/cache/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
const text = JSON.stringify({
  items: Array.from({ length: 20 }, (_, i) => ({
    id: 'abcdefghij' + i,
    name: 'A track of some name ' + i,
    popularity: i,
    uri: 'spotify:track:' + i,
  })),
})
const headers = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'max-age=3600',
  etag: '"abc"',
  date: new Date().toUTCString(),
  vary: 'accept-encoding',
  'x-a': '1',
  'x-b': '2',
  'x-request-id': 'adfadf',
}
const f = cachedFetch(async () => new Response(text, { headers }), { store: memoryStore() })
const url = 'https://api.example/v1/me/top/tracks?limit=20&offset=0'
await (await f(url)).json()
const map = new Map([[url, text]])
async function floor() {
  return await new Response(map.get(url)).json()
}
async function ours() {
  return await (await f(url)).json()
}
async function noBody() {
  return await f(url)
}
async function cpu(fn: any, n = 10000) {
  const t = process.cpuUsage()
  for (let i = 0; i < n; i++) await fn()
  const u = process.cpuUsage(t)
  return (u.user + u.system) / n
}
const med = (a: number[]) => a.sort((x, y) => x - y)[a.length >> 1]!
const A: number[] = [],
  B: number[] = [],
  C: number[] = []
for (let r = 0; r < 9; r++) {
  A.push(await cpu(floor))
  B.push(await cpu(ours))
  C.push(await cpu(noBody))
}
console.log(
  'cpu us: floor',
  med(A).toFixed(1),
  'ours',
  med(B).toFixed(1),
  'noBody',
  med(C).toFixed(1),
  'ratio',
  med(B.map((b, i) => b / A[i]!)).toFixed(2),
)
