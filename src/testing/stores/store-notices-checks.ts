import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Notices } from '../../stores/store.ts'
import { checksOf } from './store-checks.ts'
import type { StoreChecks } from './store-checks.ts'

/** The notices that a store may have. */
export const noticesChecks: StoreChecks = checksOf('notices', {
  'notices are heard once by all who listen to their channel, and by nobody else': async (
    store,
    key,
  ) => {
    const channel = key('').slice(0, -1)
    const [first, second, other] = await Promise.all([
      listening(store.notices(channel)),
      listening(store.notices(channel)),
      listening(store.notices(`${channel}-other`)),
    ])
    const sent = ['one', 'zwei 2️⃣', JSON.stringify({ keys: [key('a')] }), 'x'.repeat(5_000)]
    for (const notice of sent) await store.notices(channel).send(notice)
    await store.notices(`${channel}-other`).send('other')
    for (const [heard, expected] of [
      [first.heard, sent],
      [second.heard, sent],
      [other.heard, ['other']],
    ] as const) {
      await until(() => heard.length >= expected.length)
      // Over several servers they may overtake each other.
      assert.deepEqual(heard.toSorted(), [...expected].toSorted())
    }
    first.stop()
    await store.notices(channel).send('last')
    await until(() => second.heard.length > sent.length)
    assert.equal(first.heard.includes('last'), false)
    second.stop()
    other.stop()
  },
  'a channel that could be mistaken for another is refused': async (store) => {
    for (const channel of ['', 'a:b', 'A', '*', 'x'.repeat(65)]) {
      assert.throws(() => store.notices(channel), RangeError, channel)
    }
  },
})

async function listening(notices: Notices): Promise<{ heard: string[]; stop: () => void }> {
  const heard: string[] = []
  let isOpen = false
  const stop = notices.listen({
    onOpen: () => (isOpen = true),
    onGap: () => (isOpen = false),
    onNotice: (notice) => heard.push(notice),
  })
  await until(() => isOpen)
  return { heard, stop }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let looks = 0; !isSo(); looks += 1) {
    assert.equal(looks < 500, true, 'nothing was heard')
    await sleep(20)
  }
}
