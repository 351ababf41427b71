// One of several processes that share a store: questions come as messages, and answers go back.
import { Collapsing } from '../../src/cache/collapsing.ts'
import { FillLeases } from '../../src/cache/fill-leases.ts'
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
const collapsing = new Collapsing<Response>()
const leases = new FillLeases(store, 'behalf', 30)

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
      return fill(question.key, question.upstream)
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

/** What `upstream` answers, which it is asked for once by all processes together. */
async function fill(key: string, upstream: string): Promise<string> {
  const find = async () => {
    const found = await store.get(`entry:${key}`)
    const text = found && Buffer.from(found.value).toString()
    return text === undefined
      ? undefined
      : { shared: true as const, reply: () => new Response(text) }
  }
  const call = async (signal: AbortSignal) => {
    const response = await fetch(upstream, { signal })
    if (response.headers.get('cache-control') === 'no-store') {
      return { shared: false as const, reply: response, response }
    }
    const text = await response.text()
    await store.set(`entry:${key}`, Buffer.from(text), { ttl: 60 })
    return { shared: true as const, reply: () => new Response(text) }
  }
  const { signal } = new AbortController()
  const { reply } = await collapsing.fetch(key, signal, (shared) =>
    leases.fetch(key, shared, { find, call }),
  )
  return reply.text()
}
