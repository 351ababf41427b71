// npm run bench [name]: ratios of ours to the bare thing, taken side by side. Ends with 1 when a bar is missed.

const benches: Readonly<Record<string, () => Promise<{ run(): Promise<boolean> }>>> = {
  cache: () => import('./cache.ts'),
  session: () => import('./session.ts'),
  stores: () => import('./stores.ts'),
  tokens: () => import('./tokens.ts'),
}

const [name = 'stores'] = process.argv.slice(2)
const load = benches[name]
if (!load) {
  console.error(`There is no bench ${name}; there are: ${Object.keys(benches).join(', ')}.`)
  process.exit(2)
}
console.log(`bench ${name}: Node ${process.version}, the median of many rounds, in turns\n`)
const { run } = await load()
process.exitCode = (await run()) ? 0 : 1
