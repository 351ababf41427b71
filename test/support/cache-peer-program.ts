// One of several processes that share a store: questions come as messages, and answers go back.
import { cachedFetch } from '../../src/cache/cached-fetch.ts'
import { CooldownRecords } from '../../src/oauth/cooldown-records.ts'
import { Cooldowns } from '../../src/oauth/cooldowns.ts'
import { memoryTier } from '../../src/stores/memory-tier.ts'
import { createStore } from '../../src/stores/create-store.ts'
import type { PeerQuestion } from './cache-peer.ts'

const [url = ''] = process.argv.slice(2)
const store = createStore(url)
const tier = memoryTier(store)
const cooldowns = new Cooldowns({
  client: ['spotify', 'client'],
  by: 'grant',
  records: new CooldownRecords(store, 'behalf'),
})
const cached = cachedFetch(fetch, { store, collapse: 'store', rules: { '/*': 60 } })

process.on('message', ({ id, ...question }: PeerQuestion & { id: number }) => {
  void answer(question as PeerQuestion).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  )
})
process.send?.({ ready: true })

async function answer(question: PeerQuestion): Promise<unknown> {
  switch (question.ask) {
    case 'fill':
      return (await cached(`${question.upstream}${encodeURIComponent(question.key)}`)).text()
    case 'read': {
      const found = await tier.get(question.key)
      return found && Buffer.from(found.value).toString()
    }
    case 'write':
      return tier.set(question.key, Buffer.from(question.text))
    case 'cooldown':
      return cooldowns.left(question.grantId)
    case 'begin cooldown':
      return cooldowns.begin(question.grantId, question.seconds)
  }
}
