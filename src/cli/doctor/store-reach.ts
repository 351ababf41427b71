import { randomUUID } from 'node:crypto'
import { BehalfError } from '../../errors.ts'
import { createStore } from '../../stores/create-store.ts'
import { guarded } from '../../stores/guarded.ts'
import type { Store } from '../../stores/store.ts'
import { type Finding, findingsAbout } from './finding.ts'

const { ok, note, change } = findingsAbout('store')

/** Seconds: connecting may take its time, a request later on does not get as much. */
const deadline = { read: 5, write: 5 }
/** Milliseconds beyond which a token read is given up in a request. */
const slow = 250

const reaches = {
  process: 'one process only',
  host: 'all processes of this machine',
  cluster: 'all processes that use it',
}

/** Does the store answer, compare, keep what it is given, and for whom? */
export async function checkStore(url: string | undefined): Promise<Finding[]> {
  if (!url) return [change('Set BEHALF_STORE, or --store, to a URL such as sqlite:behalf.sqlite')]
  let store: Store
  try {
    store = createStore(url)
  } catch (error) {
    return [change(error instanceof BehalfError ? error.message : 'It cannot be made.')]
  }
  try {
    return [...(await tryOut(store)), ...whatItIs(store)]
  } catch (error) {
    return [change(error instanceof BehalfError ? error.message : 'It does not answer.')]
  } finally {
    await store.close().catch(() => {})
  }
}

async function tryOut(store: Store): Promise<Finding[]> {
  const probe = guarded(store, { name: 'store', deadline })
  const key = `behalf:doctor:${randomUUID()}`
  await probe.get(key)
  const startedAt = performance.now()
  const version = await probe.compareAndSwap(key, undefined, new Uint8Array([1]), { ttl: 60 })
  const again = await probe.compareAndSwap(key, undefined, new Uint8Array([2]), { ttl: 60 })
  const read = await probe.get(key)
  await probe.delete(key)
  const took = Math.ceil(performance.now() - startedAt)
  if (version === undefined || again !== undefined || read?.value[0] !== 1) {
    return [change('It does not keep what is written, or writes what it should compare.')]
  }
  const answer = `four operations took ${took} ms`
  if (took > 4 * slow) return [change(`${answer}: requests give a read up after ${slow} ms`)]
  return [ok(answer)]
}

function whatItIs({ reach, durable }: Store): Finding[] {
  const shared = `shared by ${reaches[reach]}`
  return [
    reach === 'process' ? change(`${shared}, and gone at its end`) : ok(shared),
    ...(durable
      ? []
      : [note('It may drop entries: whoever’s login goes logs in again (allowVolatile)')]),
  ]
}
