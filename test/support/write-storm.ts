// node --import tsx write-storm.ts <sqlite | file> <path> <number>: writes until it is killed.

import { createHash, randomBytes } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { fileStore } from '../../src/stores/file.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'

const makers: Readonly<Record<string, (path: string) => Store>> = {
  file: (path) => fileStore(path),
  sqlite: (path) => sqliteStore(path, { driver: 'libsql' }),
}

/** The keys of one storm, which nobody else writes. */
export function stormKeys(storm: number): string[] {
  return Array.from({ length: 8 }, (_, index) => `storm ${storm}:${index}`)
}

/** A value that tells whether it is whole, whose it is and which write it was. */
export function stormValue(key: string, write: number, length: number): Buffer {
  const body = Buffer.concat([Buffer.from(`${key} ${write} `), randomBytes(length)])
  return Buffer.concat([createHash('sha256').update(body).digest(), body])
}

/** The number of the write that a value comes from. Throws where it is not whole or another key's. */
export function writeOf(key: string, value: Uint8Array): number {
  const bytes = Buffer.from(value)
  const body = bytes.subarray(32)
  const whole = createHash('sha256').update(body).digest().equals(bytes.subarray(0, 32))
  const text = body.subarray(0, key.length + 12).toString('latin1')
  if (!whole || !text.startsWith(`${key} `)) throw new Error(`${key} holds a torn value.`)
  return Number.parseInt(text.slice(key.length + 1))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , backend = '', path = '', storm = '0'] = process.argv
  const store = makers[backend]!(path)
  for (let write = 1; ; write += 1) {
    await Promise.all(stormKeys(Number(storm)).map((key) => writeOnce(store, key, write)))
    // Synchronous, so that what is told has been written, and is told before the next begins.
    process.stdout.write(`${write}\n`)
  }
}

async function writeOnce(store: Store, key: string, write: number): Promise<void> {
  const value = stormValue(key, write, Math.random() < 0.1 ? 400_000 : 3_000 * Math.random())
  if (Math.random() < 0.5) return store.set(key, value)
  const found = await store.get(key)
  const version = await store.compareAndSwap(key, found?.version, value, { ttl: 3_600 })
  if (version === undefined) throw new Error('Somebody else has written.')
  await store.set(`${key} expired`, value, { ttl: 0.001 })
  await store.expire?.(key, 7_200)
}
