import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./held-bytes.mjs', import.meta.url))
const atMost = 1.2
const slack = 1.3

/** What an entry of 2 KB takes, beside a `Map` of its text by its URL. */
export async function bytesOfEntry(): Promise<boolean> {
  const [map, ours] = ['map', 'behalf'].map((name) =>
    Number(execFileSync(process.execPath, ['--expose-gc', program, name]).toString()),
  ) as [number, number]
  const ratio = ours / map
  const isMet = ratio <= atMost * slack
  console.log(
    `an entry of 2 KB: ${ours.toFixed(0)} bytes, in a Map ${map.toFixed(0)}: ` +
      `${ratio.toFixed(2)} x, bar ${atMost} x${isMet ? '' : '  MISSED'}`,
  )
  return isMet
}
